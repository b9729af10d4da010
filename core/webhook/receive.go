package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	authgear "github.com/authgear/authgear-sdk-go/core"
	"github.com/authgear/authgear-sdk-go/core/internal/quote"
)

const (
	maxBody         = 1 << 20
	readTimeout     = 10 * time.Second
	signatureHeader = "X-Authgear-Body-Signature"

	// allowed is the answer to every event. A blocking one needs it: without it, Authgear
	// signs nobody in.
	allowed = `{"is_allowed":true}`
)

// ServeHTTP answers 200 to each event with a good signature, of whatever type. Otherwise
// it answers 400 (not an event), 401 (no signature, or none of ours), 405 (not a POST) or
// 413 (over 1 MiB); the observer is told why.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, err := h.receive(w, r)
	if err != nil {
		h.observer.ReportNotice(r.Context(), authgear.NoticeEvent, err)
	}
	if status != http.StatusOK {
		http.Error(w, http.StatusText(status), status)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", strconv.Itoa(len(allowed)))
	_, _ = io.WriteString(w, allowed) // there is nobody else to tell
}

// receive returns the status of the answer and what to tell the operator. An event that
// was taken may have an error too.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request) (status int, err error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed, nil
	}
	signature, err := signatureOf(r.Header)
	if err != nil { // and the body is not read
		return http.StatusUnauthorized, fmt.Errorf("webhook: %w", err)
	}
	body, err := read(w, r)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return http.StatusRequestEntityTooLarge, fmt.Errorf("webhook: the body is over %d bytes", maxBody)
	} else if err != nil {
		return http.StatusBadRequest, fmt.Errorf("webhook: reading the body: %w", err)
	}
	// Before it is parsed: what a stranger sends is only hashed.
	if err := h.verify(signature, body); err != nil {
		return http.StatusUnauthorized, fmt.Errorf("webhook: %w", err)
	}
	event, err := parse(body)
	if err != nil {
		return http.StatusBadRequest, fmt.Errorf("webhook: not an event: %w", err)
	}
	if isBlocking(event.Type) {
		h.observer.ReportNotice(r.Context(), authgear.NoticeBlockingEvent, fmt.Errorf(
			"webhook: %s is a blocking event: Authgear waits for the answer, which allows it unseen; remove it from the portal's blocking events", quote.Quote(event.Type)))
		return http.StatusOK, nil
	}
	if err := h.act(r.Context(), event); err != nil {
		return http.StatusOK, fmt.Errorf("webhook: event %s: %w", quote.Quote(event.Type), err)
	}
	return http.StatusOK, nil
}

// read reads the body, within the time limit where the server has such.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(readTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil { // else what is left of the body is not waited for
		_ = control.SetReadDeadline(time.Time{})
	}
	return body, err
}

// signatureOf returns the one signature.
func signatureOf(header http.Header) (string, error) {
	switch signatures := header.Values(signatureHeader); {
	case len(signatures) == 0:
		return "", errors.New("no " + signatureHeader)
	case len(signatures) > 1:
		return "", fmt.Errorf("%d headers %s", len(signatures), signatureHeader)
	case len(signatures[0]) != hex.EncodedLen(sha256.Size):
		return "", errors.New(signatureHeader + " has another length than a signature")
	default:
		return signatures[0], nil
	}
}

// verify checks that the body is signed by one of the secrets: the signature is the
// HMAC-SHA256 of the raw body, in lower-case hex.
func (h *Handler) verify(signature string, body []byte) error {
	valid := 0
	for _, secret := range h.secrets {
		mac := hmac.New(sha256.New, secret)
		_, _ = mac.Write(body) // never fails
		expected := hex.EncodeToString(mac.Sum(nil))
		valid |= subtle.ConstantTimeCompare([]byte(signature), []byte(expected))
	}
	switch {
	case valid == 1:
		return nil
	case len(body) == 0:
		return errors.New("the body is empty; middleware in front may have read it")
	}
	return errors.New(signatureHeader + " was made with none of Secrets: the project has another secret, or the body was changed on its way")
}
