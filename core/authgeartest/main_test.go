package authgeartest_test

import (
	"testing"

	"github.com/authgear/authgear-sdk-go/core/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }
