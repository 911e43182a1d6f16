module robotgc.dev/test/cluster/pause

go 1.22
