package authgear

import (
	"errors"
	"fmt"
)

// mistakes collects what is wrong with a configuration, so that all of it is told
// at once.
type mistakes []error

func (m *mistakes) add(field string, err error) {
	if err != nil {
		*m = append(*m, fmt.Errorf("%s: %w", field, err))
	}
}

// err returns nil when there is no mistake in the configuration of that name.
func (m mistakes) err(config string) error {
	if len(m) == 0 {
		return nil
	}
	return fmt.Errorf("authgear: %s: %w", config, errors.Join(m...))
}
