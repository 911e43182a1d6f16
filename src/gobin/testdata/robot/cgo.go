package main

// static int twice(int n) { return 2 * n; }
import "C"

var fromC = C.twice(21)
