module execs

go 1.22
