package live

import _ "embed"

// asyncAPI is the document itself: whoever changes what is sent changes it, and tests hold one against the other.
//
//go:embed asyncapi.json
var asyncAPI []byte

// AsyncAPI is the AsyncAPI 3.0 document of what the server tells by itself. It must not be changed.
func AsyncAPI() []byte { return asyncAPI }
