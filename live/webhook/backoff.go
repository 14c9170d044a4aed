package webhook

import (
	"math/rand/v2"
	"time"
)

// How failed deliveries are tried again.
const (
	backoffMin = time.Second
	backoffMax = time.Hour
	parkAfter  = 72 * time.Hour // of failing
)

// backoff is how long to wait after the given number of failures in sequence: twice as long each time, from 1 s up to an
// hour, of which the second half is drawn, so that campaigns that failed together do not come back together. What the
// receiver asks for counts where it is more, up to an hour.
func backoff(tries int, asked time.Duration) time.Duration {
	full := backoffMax
	if tries < 13 { // 2^12 s is more than an hour
		full = min(backoffMin<<max(tries-1, 0), backoffMax)
	}
	drawn := full/2 + rand.N(full/2+1)
	return max(drawn, min(asked, backoffMax))
}
