module periodic

go 1.22
