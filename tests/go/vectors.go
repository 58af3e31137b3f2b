package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	dense   = 17  // every proof of every tree up to this size
	largest = 600 // and some of larger ones
)

// The leaf data of the n-th leaf; a Python test makes the same.
func record(n int64) []byte { return fmt.Appendf(nil, "event %d", n) }

type key struct{ Name, Seed, Skey, Vkey string }

type signed struct {
	Text string
	Keys []int // which keys signed, in order
	Note string
}

type refused struct{ Why, Note string }

type tree struct {
	Size int64
	Root string
}

type inclusion struct {
	Index, Size int64
	Proof       []string
}

type consistency struct {
	Old, New int64
	Proof    []string
}

type all struct {
	Keys        []key
	Signed      []signed
	Refused     []refused // by note.Open with the first key
	Trees       []tree
	Inclusion   []inclusion
	Consistency []consistency
}

func vectors() all {
	found := all{}
	for _, name := range []string{"acme.example/log", "Müller-Журнал-销售", "sum.golang.org"} {
		found.Keys = append(found.Keys, makeKey(name))
	}
	stored := grow()
	for size := int64(0); size <= largest; size++ {
		if size <= 2*dense || size == 255 || size == 256 || size == 257 || size == largest {
			found.Trees = append(found.Trees, tree{size, root(stored, size).String()})
		}
	}
	found.prove(stored)
	found.sign(stored)
	found.refuse()
	return found
}

func makeKey(name string) key {
	seed := sha256.Sum256([]byte("seed of " + name))
	private := ed25519.NewKeyFromSeed(seed[:])
	vkey, err := note.NewEd25519VerifierKey(name, private.Public().(ed25519.PublicKey))
	must(err)
	id := strings.Split(vkey, "+")[1]
	skey := "PRIVATE+KEY+" + name + "+" + id + "+" +
		base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...))
	signer, err := note.NewSigner(skey)
	must(err)
	if signer.Name() != name {
		panic("the key has another name")
	}
	return key{name, base64.StdEncoding.EncodeToString(seed[:]), skey, vkey}
}

type storage []tlog.Hash

func (s storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = s[index]
	}
	return found, nil
}

func grow() storage {
	var stored storage
	for n := int64(0); n < largest; n++ {
		added, err := tlog.StoredHashes(n, record(n), stored)
		must(err)
		stored = append(stored, added...)
	}
	return stored
}

func root(stored storage, size int64) tlog.Hash {
	found, err := tlog.TreeHash(size, stored)
	must(err)
	return found
}

func (found *all) prove(stored storage) {
	include := func(index, size int64) {
		proof, err := tlog.ProveRecord(size, index, stored)
		must(err)
		must(tlog.CheckRecord(proof, size, root(stored, size), index, tlog.RecordHash(record(index))))
		found.Inclusion = append(found.Inclusion, inclusion{index, size, texts(proof)})
	}
	extend := func(old, new int64) {
		proof, err := tlog.ProveTree(new, old, stored)
		must(err)
		must(tlog.CheckTree(proof, new, root(stored, new), old, root(stored, old)))
		found.Consistency = append(found.Consistency, consistency{old, new, texts(proof)})
	}
	for size := int64(1); size <= dense; size++ {
		for below := int64(0); below < size; below++ {
			include(below, size)
			extend(below+1, size)
		}
	}
	for _, size := range []int64{255, 256, 257, largest} {
		for _, below := range []int64{0, 1, 127, 128, 254, size - 1} {
			include(below, size)
			extend(below+1, size)
		}
	}
}

func texts(hashes []tlog.Hash) []string {
	found := make([]string, 0, len(hashes))
	for _, each := range hashes {
		found = append(found, each.String())
	}
	return found
}

func (found *all) signer(at int) note.Signer {
	signer, err := note.NewSigner(found.Keys[at].Skey)
	must(err)
	return signer
}

func (found *all) sign(stored storage) {
	body := func(origin string, size int64) string {
		_, rest, _ := strings.Cut(string(tlog.FormatTree(tlog.Tree{N: size, Hash: root(stored, size)})), "\n")
		return origin + "\n" + rest
	}
	add := func(text string, keys ...int) {
		var signers []note.Signer
		for _, at := range keys {
			signers = append(signers, found.signer(at))
		}
		message, err := note.Sign(&note.Note{Text: text}, signers...)
		must(err)
		found.Signed = append(found.Signed, signed{text, keys, string(message)})
	}
	for _, size := range []int64{0, 1, 2, 3, 256, 257, largest} {
		add(body(found.Keys[0].Name, size), 0)
	}
	add(body(found.Keys[1].Name, 7), 1)
	add(body(found.Keys[0].Name, 9), 0, 1)
	add(body(found.Keys[0].Name, 9)+"an extension\nanother one\n", 0)
	add("go.sum database tree\n"+strings.SplitN(body("x", 5), "\n", 2)[1], 2)
	add("a text that is no checkpoint\n\nwith a blank line\n", 0, 2)
}

func (found *all) refuse() {
	verifier, err := note.NewVerifier(found.Keys[0].Vkey)
	must(err)
	good := found.Signed[1].Note
	text, line, _ := strings.Cut(good, "\n\n")
	line = strings.TrimSuffix(line, "\n")
	sig := strings.TrimPrefix(line, "— "+found.Keys[0].Name+" ")
	changed := map[string]string{
		"another text":           strings.Replace(good, "\n1\n", "\n2\n", 1),
		"no signature":           text + "\n",
		"an empty signature":     text + "\n\n— " + found.Keys[0].Name + " \n",
		"a short signature":      text + "\n\n— " + found.Keys[0].Name + " AAAA\n",
		"no base64":              text + "\n\n— " + found.Keys[0].Name + " *" + sig[1:] + "\n",
		"no dash":                text + "\n\n- " + found.Keys[0].Name + " " + sig + "\n",
		"no blank line":          text + "\n" + line + "\n",
		"no line end":            text + "\n\n" + line,
		"a carriage return":      strings.ReplaceAll(good, "\n", "\r\n"),
		"a tab":                  strings.Replace(good, "\n1\n", "\n\t1\n", 1),
		"half a character":       strings.Replace(good, "— ", "\xe2\x80 ", 1),
		"a line after":           good + "more\n",
		"a blank line after":     good + "\n",
		"a plus in the name":     text + "\n\n— a+b " + sig + "\n",
		"another key's note":     found.Signed[7].Note,
		"too many signatures":    text + "\n\n" + strings.Repeat("— x AAAAAAAA\n", 101),
		"bad, then a good line":  text + "\n\n— " + found.Keys[0].Name + " " + forged(sig) + "\n" + line + "\n",
		"a signature cut by one": text + "\n\n— " + found.Keys[0].Name + " " + cut(sig) + "\n",
	}
	for why, message := range changed {
		if _, err := note.Open([]byte(message), note.VerifierList(verifier)); err == nil {
			panic("accepted: " + why)
		}
		found.Refused = append(found.Refused, refused{why, base64.StdEncoding.EncodeToString([]byte(message))})
	}
	slices.SortFunc(found.Refused, func(a, b refused) int { return strings.Compare(a.Why, b.Why) })
}

// forged flips one bit of the signature, behind the key's id.
func forged(sig string) string {
	raw, err := base64.StdEncoding.DecodeString(sig)
	must(err)
	raw[20] ^= 1
	return base64.StdEncoding.EncodeToString(raw)
}

func cut(sig string) string {
	raw, err := base64.StdEncoding.DecodeString(sig)
	must(err)
	return base64.StdEncoding.EncodeToString(raw[:len(raw)-1])
}
