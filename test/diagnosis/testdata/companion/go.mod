module companion

go 1.26
