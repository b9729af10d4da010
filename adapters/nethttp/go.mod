module github.com/authgear/authgear-sdk-go/adapters/nethttp

go 1.26

require github.com/authgear/authgear-sdk-go/core v0.1.0

replace github.com/authgear/authgear-sdk-go/core => ../../core
