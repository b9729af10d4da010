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

	// allowed is the answer to every event. Blocking events need it: without it, Authgear
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
	_, _ = io.WriteString(w, allowed) // if that fails, there is nobody to report it to
}

// receive returns the status of the answer and the error to tell the operator. There may be
// an error with status 200 too.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request) (status int, err error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed, nil
	}
	signature, err := signatureOf(r.Header)
	if err != nil { // the body is not read in this case
		return http.StatusUnauthorized, fmt.Errorf("webhook: %w", err)
	}
	body, err := read(w, r)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return http.StatusRequestEntityTooLarge, fmt.Errorf("webhook: the body is over %d bytes", maxBody)
	} else if err != nil {
		return http.StatusBadRequest, fmt.Errorf("webhook: reading the body: %w", err)
	}
	// This comes before parsing, so that a stranger's body is only hashed.
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

// read reads the body. It sets a time limit if the server supports one.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(readTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil { // after an error the limit stays, so that nobody waits for the rest
		_ = control.SetReadDeadline(time.Time{})
	}
	return body, err
}

// signatureOf returns the signature. There has to be exactly one.
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

// verify checks that the body is signed with one of the secrets. The signature is the
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
