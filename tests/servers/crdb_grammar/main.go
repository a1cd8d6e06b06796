// Command crdb_grammar tells, for each SQL statement, whether CockroachDB 25.2's own grammar takes it.
//
// It reads one JSON object a line, {"id": 1, "sql": "..."}, and answers each with one line,
// {"id": 1, "ok": true, "error": "", "formatted": ["..."]}: the statements as CockroachDB prints them back. The text
// may hold several statements, or none.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/cockroachdb/cockroachdb-parser/pkg/sql/parser"
	"github.com/cockroachdb/cockroachdb-parser/pkg/sql/sem/tree"
)

type question struct {
	ID  json.RawMessage `json:"id"`
	SQL string          `json:"sql"`
}

type answer struct {
	ID        json.RawMessage `json:"id"`
	OK        bool            `json:"ok"`
	Error     string          `json:"error"`
	Formatted []string        `json:"formatted"`
}

// parse asks the grammar. A panic in it counts as a refusal, so that one statement cannot end the whole run.
func parse(asked question) (answered answer) {
	answered = answer{ID: asked.ID, Formatted: []string{}}
	defer func() {
		if problem := recover(); problem != nil {
			answered.OK = false
			answered.Error = fmt.Sprintf("the grammar panicked: %v", problem)
		}
	}()
	statements, err := parser.Parse(asked.SQL)
	if err != nil {
		answered.Error = strings.TrimSpace(err.Error())
		return answered
	}
	for _, statement := range statements {
		answered.Formatted = append(answered.Formatted, tree.AsString(statement.AST))
	}
	answered.OK = true
	return answered
}

func run() error {
	in := bufio.NewReader(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	decoder := json.NewDecoder(in)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for decoder.More() {
		var asked question
		if err := decoder.Decode(&asked); err != nil {
			return err
		}
		if err := encoder.Encode(parse(asked)); err != nil {
			return err
		}
	}
	return out.Flush()
}

func main() {
	// The whole run is short: memory is cheaper than collecting it.
	debug.SetGCPercent(400)
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "crdb_grammar:", err)
		os.Exit(1)
	}
}
