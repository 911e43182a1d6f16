module robotgc.dev/test/cluster/echo

go 1.22
