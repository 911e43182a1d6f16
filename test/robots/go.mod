module robots

go 1.22
