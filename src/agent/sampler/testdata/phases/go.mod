module phases

go 1.22
