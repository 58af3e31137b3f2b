// Golang's checksum database code as a second opinion on our checkpoints and proofs.
//
//	audit-check vectors            writes tests/vectors/audit.json to standard output
//	audit-check verify <cases      answers each case, a line of JSON, with "ok" or an error on a line
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "vectors" {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", " ")
		must(encoder.Encode(vectors()))
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "verify" {
		answerAll()
		return
	}
	fmt.Fprintln(os.Stderr, "usage: audit-check vectors | verify")
	os.Exit(2)
}

func answerAll() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	answers := bufio.NewWriter(os.Stdout)
	for lines.Scan() {
		var asked Case
		must(json.Unmarshal(lines.Bytes(), &asked))
		if err := asked.verify(); err != nil {
			fmt.Fprintf(answers, "%q\n", err.Error())
		} else {
			fmt.Fprintln(answers, "ok")
		}
	}
	must(lines.Err())
	must(answers.Flush())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
