module robotgc.dev/testdata/dwarf

go 1.22
