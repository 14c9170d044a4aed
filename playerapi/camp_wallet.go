package playerapi

import (
	"fmt"
	"strconv"

	"github.com/valyala/fasthttp"

	"hongbao"
)

// campWalletMax bounds the list of a wallet: of a player who has won more, it shows the newest. The list has no pages;
// /v1/wallet does.
const campWalletMax = 5000

// campWallet is POST /get_wallet_list: envelopes of all campaigns, oldest first.
func (s *Server) campWallet(ctx *fasthttp.RequestCtx) error {
	fields := [...]campField{{name: "uid", limit: hongbao.UIDMax}}
	if _, err := s.campFields(ctx, fields[:]); err != nil {
		return err
	}
	visitor, err := s.campEnter(ctx, &fields[0])
	if err != nil {
		return err
	}
	wallet, err := s.wholeWallet(visitor.UID)
	if err != nil {
		return err
	}
	answerJSON(ctx, appendCampWallet(begin(ctx), &wallet))
	return nil
}

// wholeWallet reads the newest envelopes page by page. Each page is of one instant; the balance is the first page's.
func (s *Server) wholeWallet(uid uint64) (hongbao.Wallet, error) {
	request := hongbao.WalletRequest{UID: uid, Limit: hongbao.WalletLimitMax}
	whole, err := s.walletNow(request)
	for err == nil && whole.More && len(whole.Envelopes) < campWalletMax {
		var page hongbao.Wallet
		request.After = whole.Next()
		page, err = s.walletNow(request)
		whole.Envelopes, whole.More = append(whole.Envelopes, page.Envelopes...), page.More
	}
	return whole, err
}

// walletNow is busy where the wallet could only be read from books that may be behind: the camp API can't say so.
func (s *Server) walletNow(r hongbao.WalletRequest) (hongbao.Wallet, error) {
	w, err := s.gate.Wallet(s.calls, r)
	if err == nil && w.AsOf != 0 {
		err = fmt.Errorf("%w: the wallet is of %s", hongbao.ErrBusy, w.AsOf)
	}
	return w, err
}

// appendCampWallet shows an amount once the envelope is opened, whatever the campaign reveals earlier.
func appendCampWallet(b []byte, w *hongbao.Wallet) []byte {
	b = append(appendCamp(b, 0, "success"), `,"data":{"amount":`...)
	b = strconv.AppendInt(b, w.BalanceFen, 10)
	b = append(b, `,"envelope_list":[`...)
	for i := len(w.Envelopes) - 1; i >= 0; i-- {
		e := &w.Envelopes[i]
		b = append(b, `{"envelope_id":`...)
		b = strconv.AppendUint(b, uint64(e.ID), 10)
		if e.State == hongbao.StateOpened {
			b = append(b, `,"value":`...)
			b = strconv.AppendInt(b, e.AmountFen, 10)
		}
		b = append(b, `,"opened":`...)
		b = strconv.AppendBool(b, e.State == hongbao.StateOpened)
		b = append(b, `,"snatch_time":`...)
		b = strconv.AppendInt(b, int64(e.WonAt)/1000, 10)
		b = append(b, '}')
		if i > 0 {
			b = append(b, ',')
		}
	}
	return append(b, `]}}`...)
}
