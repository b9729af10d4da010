package doctor_test

import (
	"context"
	"fmt"
	"log"

	"github.com/authgear/authgear-sdk-go/core/authgeartest"
	"github.com/authgear/authgear-sdk-go/core/doctor"
)

// A token that another project has issued than the one that the service expects.
func Example() {
	project, err := authgeartest.Start(authgeartest.Config{}) // your project instead
	if err != nil {
		log.Fatal(err)
	}
	defer project.Close()

	report := doctor.Run(context.Background(), doctor.Config{
		Endpoint: project.Endpoint(),
		Token:    project.Sign(nil, map[string]any{"iss": "https://other.authgear.cloud", "sub": "x", "exp": 4e9}),
	})
	for _, step := range report.Steps {
		if step.Name == "iss" {
			fmt.Println(step.Status, step.Reason)
			fmt.Println(step.Fix)
		}
	}
	fmt.Println(report.OK())
	// Output:
	// failed issuer_mismatch
	// Set Endpoint to the project that the client signs in to, or to the project's custom domain.
	// false
}
