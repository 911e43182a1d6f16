module robotgc.dev/testdata/tls

go 1.22
