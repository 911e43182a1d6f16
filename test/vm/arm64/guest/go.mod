module robotgc.dev/test/arm64guest

go 1.22
