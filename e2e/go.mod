module github.com/authgear/authgear-sdk-go/e2e

go 1.26

require github.com/authgear/authgear-sdk-go/core v0.1.0

require github.com/golang-jwt/jwt/v5 v5.3.1 // indirect

replace github.com/authgear/authgear-sdk-go/core => ../core
