package authgear

// IDTokenRefused is why the ID token beside the access token does not count.
func IDTokenRefused(i *Identity) *Error { return i.idTokenRefused }

// Clone is what a cache hands out of an identity.
func Clone(i *Identity) *Identity { return i.clone() }
