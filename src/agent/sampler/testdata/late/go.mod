module late

go 1.22
