package authgear

import (
	"errors"
	"fmt"
)

// configErrors collects what is wrong with a configuration, so that one error names
// all of it.
type configErrors []error

func (e *configErrors) add(field string, err error) {
	if err != nil {
		*e = append(*e, fmt.Errorf("%s: %w", field, err))
	}
}

// err returns nil when there is no mistake in the configuration of that name.
func (e configErrors) err(config string) error {
	if len(e) == 0 {
		return nil
	}
	return fmt.Errorf("authgear: %s: %w", config, errors.Join(e...))
}
