module marking

go 1.22
