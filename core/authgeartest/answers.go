package authgeartest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

const permissionsPolicy = "accelerometer=(), ambient-light-sensor=(), autoplay=*, battery=(), bluetooth=(), browsing-topics=(), " +
	"camera=(), display-capture=(), document-domain=(), encrypted-media=(), execution-while-not-rendered=*, " +
	"execution-while-out-of-viewport=*, fullscreen=*, gamepad=(), geolocation=(), gyroscope=(), hid=(), " +
	"identity-credentials-get=(), idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), " +
	"otp-credentials=(), payment=(), picture-in-picture=(), publickey-credentials-create=(self), " +
	"publickey-credentials-get=(self), screen-wake-lock=(), serial=(), speaker-selection=(), storage-access=(), " +
	"usb=(), web-share=(), window-management=(), xr-spatial-tracking=()"

func commonFields(h http.Header) {
	h.Set("Permissions-Policy", permissionsPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex, nofollow")
}

func methodNotAllowed(w http.ResponseWriter, allowed []string) {
	slices.Sort(allowed)
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func writeFailure(w http.ResponseWriter, status int) {
	writeError(w, status, "InternalError", "UnexpectedError", "unexpected error occurred")
}

// writeError writes an error body in Authgear's own form, which is not that of OAuth.
func writeError(w http.ResponseWriter, status int, name, reason, message string) {
	type apiError struct {
		Name       string `json:"name"`
		Reason     string `json:"reason"`
		Message    string `json:"message"`
		Code       int    `json:"code"`
		TrackingID string `json:"tracking_id"`
	}
	body, _ := json.Marshal(map[string]apiError{
		"error": {name, reason, message, status, randomHex(16) + "-" + randomHex(8)},
	})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
