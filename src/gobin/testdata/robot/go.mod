module robotgc.dev/testdata/robot

go 1.17
