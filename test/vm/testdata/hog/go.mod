module hog

go 1.22
