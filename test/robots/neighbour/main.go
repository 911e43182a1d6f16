// Command neighbour is somebody else on the node: it keeps processors busy, and
// reads a file over and over that is larger than its container's memory limit,
// so that the node's tasks wait for memory. It ends with SIGTERM.
package main

import (
	"context"
	"crypto/sha512"
	"flag"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	busy := flag.Int("busy", 1, "processors to keep busy")
	dir := flag.String("dir", os.TempDir(), "where the file is kept")
	bytes := flag.Int64("file-bytes", 128<<20, "size of the file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	for range *busy {
		go spin()
	}
	if err := readOverAndOver(ctx, filepath.Join(*dir, "neighbour"), *bytes); err != nil {
		log.Error("the neighbour ended", "error", err.Error())
		os.Exit(1)
	}
}

func spin() {
	block := make([]byte, 64<<10)
	for {
		_ = sha512.Sum512(block)
	}
}

func readOverAndOver(ctx context.Context, path string, bytes int64) error {
	if err := write(path, bytes); err != nil {
		return err
	}
	for ctx.Err() == nil {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, file)
		file.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// write fills the file: pages of a hole would need no memory.
func write(path string, bytes int64) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	block := make([]byte, 1<<20)
	for done := int64(0); done < bytes; done += int64(len(block)) {
		if _, err := file.Write(block); err != nil {
			return err
		}
	}
	return file.Sync()
}
