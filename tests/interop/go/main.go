// Reads a log of ours as files (C2SP tlog-tiles) with Go's golang.org/x/mod/sumdb, and prints what it makes of it.
//
//	go run main.go FOLDER VERIFIER-KEY INDEX [OLDER-SIZE OLDER-ROOT]
//
// The checkpoint's signature, the leaf's inclusion and the older tree's consistency are checked; the exit status is 1
// when one of them does not hold. Standard output has the hashes of the inclusion proof, then those of the consistency
// proof, in base64, one a line.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type files struct{ folder string }

func (f files) Height() int { return height }

// C2SP leaves the height, which is always eight, out of a tile's path.
func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(f.folder, path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f files) SaveTiles([]tlog.Tile, [][]byte) {}

func (f files) entry(index, size int64) []byte {
	tile := tlog.Tile{H: height, L: -1, N: index / 256, W: 256}
	if last := size / 256; tile.N == last {
		tile.W = int(size % 256)
	}
	data, err := os.ReadFile(filepath.Join(f.folder, strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)))
	check(err)
	for skip := index % 256; ; skip-- {
		length := binary.BigEndian.Uint16(data)
		if skip == 0 {
			return data[2 : 2+length]
		}
		data = data[2+length:]
	}
}

func main() {
	log := files{os.Args[1]}
	verifier, err := note.NewVerifier(os.Args[2])
	check(err)
	index, err := strconv.ParseInt(os.Args[3], 10, 64)
	check(err)

	text, err := os.ReadFile(filepath.Join(log.folder, "checkpoint"))
	check(err)
	opened, err := note.Open(text, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		check(fmt.Errorf("the checkpoint is of %q, and its key of %q", lines[0], verifier.Name()))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root := hashOf(lines[2])

	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, log)
	record, err := tlog.ProveRecord(size, index, reader)
	check(err)
	check(tlog.CheckRecord(record, size, root, index, tlog.RecordHash(log.entry(index, size))))
	show(record)
	if len(os.Args) > 4 {
		older, err := strconv.ParseInt(os.Args[4], 10, 64)
		check(err)
		tree, err := tlog.ProveTree(size, older, reader)
		check(err)
		check(tlog.CheckTree(tree, size, root, older, hashOf(os.Args[5])))
		show(tree)
	}
}

func hashOf(text string) tlog.Hash {
	data, err := base64.StdEncoding.DecodeString(text)
	check(err)
	var hash tlog.Hash
	if copy(hash[:], data) != len(hash) || len(data) != len(hash) {
		check(fmt.Errorf("%q is no SHA-256", text))
	}
	return hash
}

func show(hashes []tlog.Hash) {
	for _, hash := range hashes {
		fmt.Println(base64.StdEncoding.EncodeToString(hash[:]))
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
