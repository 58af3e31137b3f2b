package main

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Case is one thing to verify. Bytes are base64 in JSON.
type Case struct {
	Kind string // "note", "inclusion", "consistency", "event" or "growth"

	Note []byte   // a signed note; of "event" and "growth" the checkpoint
	Kept []byte   // of "growth" the earlier checkpoint
	Keys []string // verifier keys

	Data []byte // of "event": its line
	Leaf []byte // of "inclusion": the leaf hash

	Index, Old, New  int64
	OldRoot, NewRoot []byte
	Proof            [][]byte
}

var errLength = errors.New("a hash has another length")

func (c *Case) verify() error {
	switch c.Kind {
	case "note":
		_, err := note.Open(c.Note, c.known())
		return err
	case "inclusion":
		leaf, err1 := hash(c.Leaf)
		root, err2 := hash(c.NewRoot)
		path, err3 := hashes(c.Proof)
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		return tlog.CheckRecord(path, c.New, root, c.Index, leaf)
	case "consistency":
		return checkTree(c.Proof, c.Old, c.New, c.OldRoot, c.NewRoot)
	case "event":
		tree, err := c.open(c.Note)
		if err != nil {
			return err
		}
		path, err := hashes(c.Proof)
		if err != nil {
			return err
		}
		return tlog.CheckRecord(path, tree.N, tree.Hash, c.Index, tlog.RecordHash(c.Data))
	case "growth":
		kept, err1 := c.open(c.Kept)
		tree, err2 := c.open(c.Note)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		return checkTree(c.Proof, kept.N, tree.N, kept.Hash[:], tree.Hash[:])
	}
	return errors.New("unknown kind " + c.Kind)
}

func (c *Case) known() note.Verifiers {
	var list []note.Verifier
	for _, key := range c.Keys {
		verifier, err := note.NewVerifier(key)
		must(err)
		list = append(list, verifier)
	}
	return note.VerifierList(list...)
}

// open verifies a checkpoint. Its origin is the name of the key; tlog.ParseTree would want Go's own there,
// so that is what it is given, once the signature is verified.
func (c *Case) open(signed []byte) (tlog.Tree, error) {
	opened, err := note.Open(signed, c.known())
	if err != nil {
		return tlog.Tree{}, err
	}
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	if origin != opened.Sigs[0].Name {
		return tlog.Tree{}, errors.New("another origin: " + strconv.Quote(origin))
	}
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

func checkTree(proof [][]byte, old, new int64, oldRoot, newRoot []byte) error {
	before, err1 := hash(oldRoot)
	after, err2 := hash(newRoot)
	path, err3 := hashes(proof)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	return tlog.CheckTree(path, new, after, old, before)
}

func hash(data []byte) (found tlog.Hash, err error) {
	if len(data) != tlog.HashSize {
		return found, errLength
	}
	copy(found[:], data)
	return found, nil
}

func hashes(list [][]byte) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, 0, len(list))
	for _, data := range list {
		each, err := hash(data)
		if err != nil {
			return nil, err
		}
		found = append(found, each)
	}
	return found, nil
}
