package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// What is wrong with the command line has its own exit code, is said in linnet's words, and leaves nothing behind.
func TestUsage(t *testing.T) {
	network, err := os.ReadFile("../../model/testdata/v1.linnet")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	saved(t, "c.linnet", false)
	for name, content := range map[string]string{
		"films.csv": films(1, 60), "lines.txt": "a film\n", "history.csv": "epoch,loss\n0,1\n1,2\n", "n.linnet": string(network),
		"films.jsonl": `{"text": "a", "label": "pos"}` + "\n" + `{"text": "b", "label": "neg"}` + "\n", "lines.ft": "__label__pos a\n__label__neg b\n",
		"parts/train/pos/a.txt": "a", "parts/train/neg/a.txt": "b", "parts/test/pos/a.txt": "c", "parts/test/neg/a.txt": "d",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	// Each command that reads data.
	data := map[string]string{"train": "train films.csv -o out", "check": "check films.csv --quick", "evaluate": "evaluate c.linnet films.csv", "predict": "predict c.linnet films.csv"}
	rows := []struct{ args, want string }{
		{"DATA --format foo", `the format "foo" is unknown; there are csv, tsv, jsonl, json, fasttext, lines, folders, parquet`},
		{"DATA --encoding foo", `the encoding "foo" is unknown; there are utf-8, utf-16le, utf-16be and windows-1252`},
		{"DATA --header --no-header", `--header and --no-header exclude each other \(linnet \w+ --help lists the flags\)`},
		{"DATA --max-ratio -1", `--max-ratio is negative`},
		{"DATA --max-ratio many", `--max-ratio "many": this is not a whole number \(linnet \w+ --help lists the flags\)`},
		{"DATA --delimiter ab", `--delimiter "ab" is not one ASCII character`},
		{"DATA --delimiter \"", `the delimiter .* cannot be; it must be an ASCII character that is no quote`},
		{"DATA --text body", `films.csv: there is no column "body"; the columns are "text", "label"`},
		{"DATA --label 7", `films.csv: there is no column "7"; the columns are "text", "label"`},
		{"DATA --text label --label label", `films.csv: text and label are the same column, "label"`},
		{"DATA --format folders", `films.csv: it is a file, not a folder`},
		{"DATA --nope", `unknown flag: --nope \(linnet \w+ --help lists the flags\)`},

		{"train parts -o out --part dev", `parts: the folder has no part "dev"; it has "test", "train"`},
		{"train parts -o out --part train --format csv", `parts: it is a folder, not a file of the format "csv"`},
		{"train parts -o out --part train --text 1", `parts: it is a folder, which has no columns to give a name or number of`},
		{"predict c.linnet lines.txt --format lines --text 1", `lines.txt: it is lines without labels, which have no columns to give a name or number of`},
		{"DATA --part test", `films.csv: --part is for a folder with parts, and this is CSV`},
		{"train parts/train -o out --part test", `parts/train: --part is for a folder with parts, and this is a folder without parts`},
		{"train parts -o out --part train --no-header", `parts: --no-header is for CSV, and this is a folder`},
		{"train films.jsonl -o out --header", `films.jsonl: --header is for CSV, and this is JSON lines`},
		{"check films.jsonl --quick --no-header", `films.jsonl: --no-header is for CSV, and this is JSON lines`},
		{"evaluate c.linnet films.jsonl --delimiter ;", `films.jsonl: --delimiter is for CSV, and this is JSON lines`},
		{"train lines.ft -o out --label-separator ;", `lines.ft: --label-separator is for CSV and Parquet, and this is lines with fastText's labels`},
		{"check films.jsonl lines.ft --quick --delimiter ;", `lines.ft: --delimiter is for CSV, and this is lines with fastText's labels`},
		{"quantize c.linnet -o out --size 10", `--size: c.linnet: too small for a classifier's file: 10 bytes, the smallest has \d+`},
		{"train films.csv", `where to\? -o FILE is missing`},
		{"train films.csv -o nodir/out", `nodir/out cannot be written: there is no folder nodir`},
		{"train films.csv -o films.csv", `-o films.csv would replace the data`},
		{"train films.csv -o out --report nodir/x", `nodir/x cannot be written: there is no folder nodir`},
		{"train films.csv -o out --report out", `--report out is the file of the classifier`},
		{"train films.csv -o out --max-features -1", `--max-features is negative`},
		{"train films.csv -o out --budget -1s", `--budget is negative`},
		{"train films.csv -o out --precision 2", `--precision or --recall is not from 0 to 1`},
		{"train films.csv -o out --recall -2", `--precision or --recall is not from 0 to 1`},
		{"train films.csv -o out --precision 0.9 --recall 0.9", `--precision or --recall has both a precision and a recall: one threshold cannot aim at two`},
		{"train films.csv -o out --min-confidence 2", `--min-confidence is not from 0 to 1`},
		{"train films.csv -o out --positive nope", `--positive is no class of the examples`},
		{"train films.csv -o out --seed -1", `--seed "-1": this is not a whole number from 0 on \(linnet train --help lists the flags\)`},
		{"train films.csv -o out --continue c.linnet --budget 1s", `--budget is for a new training: with --continue that stays as it is`},
		{"train films.csv -o out --continue c.linnet --max-features -1", `--max-features is negative`},
		{"train films.csv -o out --sweep nope=1", `--sweep "nope=1": train has no option "nope" that can vary; write --sweep seed=1,2,3`},
		{"train films.csv -o out --sweep seed=a", `--sweep seed="a": this is not a whole number from 0 on \(linnet train --help lists the flags\)`},
		{"train films.csv -o out --sweep format=csv,foo", `--sweep, --format=foo: the format "foo" is unknown; there are csv, tsv, jsonl, json, fasttext, lines, folders, parquet`},
		{"train films.csv -o out --sweep header=true,false --no-header", `--sweep, --header=true: --header and --no-header exclude each other \(linnet train --help lists the flags\)`},
		{"train films.csv -o out --sweep precision=0.9,2", `--sweep, --precision=2: --precision or --recall is not from 0 to 1`},
		{"results", `too few arguments: the usage is linnet results FILE\.\.\. \[flags\]`},
		{"check films.csv --doubts -1", `--doubts is negative`},
		{"check films.csv --doubts 1 --quick", `--doubts and --quick exclude each other \(linnet check --help lists the flags\)`},
		{"evaluate c.linnet films.csv --resamples 0", `--resamples is not from 1 to 1,000,000`},
		{"evaluate c.linnet films.csv --confidence 1", `--confidence is not between 0 and 1`},
		{"evaluate c.linnet films.csv --mistakes -1", `--mistakes is negative`},
		{"predict c.linnet films.csv -o nodir/out", `nodir/out cannot be written: there is no folder nodir`},
		{"predict c.linnet films.csv --shard 3/2", `--shard "3/2" is not one of its parts, such as 1/4`},
		{"explain c.linnet lovely --class nope", `there is no class "nope"; the classes are negative, positive`},
		{"serve c.linnet --addr 127.0.0.1", `"127\.0\.0\.1" is no address: write HOST:PORT, such as 127\.0\.0\.1:8080`},
		{"serve c.linnet --addr 127.0.0.1:99999", `"127.0.0.1:99999" is no address: "99999" is no port, which is a number from 0 to 65535`},
		{"serve c.linnet --addr 127.0.0.1:nope", `"127\.0\.0\.1:nope" is no address: "nope" is no port, which is a number from 0 to 65535`},
		{"serve c.linnet --addr 127.0.0.1:0 --pprof 127.0.0.1:99999", `"127\.0\.0\.1:99999" is no address: "99999" is no port, which is a number from 0 to 65535`},
		{"serve c.linnet --max-texts 0", `--max-texts must be more than 0`},
		{"serve c.linnet --reload -1s", `--reload and --drain-delay cannot be negative`},
		{"serve c.linnet --log-level nope", `--log-level "nope" is none of debug, info, warn, error`},
		{"serve c.linnet --log-format nope", `--log-format "nope" is neither text nor json`},
		{"serve c.linnet --tls-cert x", `--tls-cert and --tls-key belong together`},
		{"serve c.linnet c.linnet", `two classifiers have the name c: write NAME=FILE`},
		{"inspect -", `inspect reads a file, not the standard input`},
		{"inspect a b", `the argument "b" is too many: the usage is linnet inspect FILE \[flags\]`},
		{"quantize n.linnet", `where to\? -o FILE is missing`},
		{"quantize n.linnet -o nodir/out", `nodir/out cannot be written: there is no folder nodir`},
		{"quantize c.linnet -o nodir/out --size 100KB", `nodir/out cannot be written: there is no folder nodir`},
		{"quantize c.linnet -o out", `c.linnet is a classifier, whose weights have 8 bits already: --size says how many bytes its file may have`},
		{"quantize n.linnet -o out --size 3KB", `n.linnet is a model of a network: --size is for classifiers, and --to says how its weights are stored`},
		{"quantize c.linnet -o out --size many", `--size: "many" is no number of bytes, such as 600KB or 2MB`},
		{"quantize c.linnet -o out --size 100KB --to int8", `--size and --to exclude each other \(linnet quantize --help lists the flags\)`},
		{"quantize n.linnet -o out --to nope", `--to: "nope" is no storage; there are float32, float16, bfloat16, int8`},
		{"quantize n.linnet -o out --parameter nope=int8", `n.linnet: no parameter matches "nope"`},
		{"quantize n.linnet -o out --parameter nope", `--parameter "nope" is not PATTERN=STORAGE`},
		{"plot history.csv nope", `history.csv: "nope" is not in the history; there are loss`},
		{"plot history.csv -o nodir/out.png", `nodir/out.png cannot be written: there is no folder nodir`},
		{"plot history.csv -o out.jpg", `out\.jpg ends neither in \.png nor in \.svg`},
		{"version now", `the argument "now" is too many: the usage is linnet version \[flags\]`},
		{"licenses now", `the argument "now" is too many: the usage is linnet licenses \[flags\]`},
		{"trian films.csv", `there is no command "trian"; did you mean train\? \(linnet --help lists the commands\)`},
		{"help nope", `there is no command "nope" \(linnet --help lists the commands\)`},
		{"help train nope", `there is no command "nope" \(linnet --help lists the commands\)`},
		{"help completion nope", `there is no command "nope" \(linnet completion --help lists the commands\)`},
		{"completion foo", `there is no command "foo" \(linnet completion --help lists the commands\)`},
		{"completion bash foo", `the argument "foo" is too many: the usage is linnet completion bash`},
	}
	before := leftBehind(t)
	for _, v := range rows {
		lines := []string{v.args}
		if rest, ok := strings.CutPrefix(v.args, "DATA "); ok {
			lines = nil
			for _, command := range data {
				lines = append(lines, command+" "+rest)
			}
		}
		for _, line := range lines {
			var stdout, stderr strings.Builder
			code := run(t.Context(), strings.Fields(line), strings.NewReader(""), &stdout, &stderr)
			if code != exitUsage || !regexp.MustCompile(`(?m)^linnet: `+v.want+`\n\z`).MatchString(stderr.String()) || stdout.Len() > 0 {
				t.Errorf("%s: code %d, %q and %q, want %s", line, code, stdout.String(), stderr.String(), v.want)
			}
		}
	}
	if after := leftBehind(t); after != before {
		t.Errorf("there are the files\n%s\nof which there were\n%s", after, before)
	}
}

// Flags that say something of one of two data are no error, and neither is what finds nothing to say.
func TestUsedFlags(t *testing.T) {
	t.Chdir(t.TempDir())
	saved(t, "c.linnet", false)
	for name, content := range map[string]string{"films.csv": films(1, 60), "films.jsonl": `{"text": "a", "label": "positive"}` + "\n", "empty": ""} {
		if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{
		"check films.csv films.jsonl --quick --header", "check films.jsonl films.csv --quick --delimiter ,", "check films.jsonl --quick --header=false",
		"predict c.linnet films.jsonl --encoding utf-8", "predict c.linnet empty --header --part x",
	} {
		var stdout, stderr strings.Builder
		if code := run(t.Context(), strings.Fields(line), nil, &stdout, &stderr); code != 0 {
			t.Errorf("%s: exit code %d, %s", line, code, stderr.String())
		}
	}
	var stdout, stderr strings.Builder
	code := run(t.Context(), []string{"predict", "c.linnet", "--header"}, strings.NewReader("text\na film\n"), &stdout, &stderr)
	if want := "linnet: stdin: --header is for CSV, and this is lines without labels\n"; code != exitUsage || stderr.String() != want || stdout.Len() > 0 {
		t.Errorf("exit code %d, %q, want %q", code, stderr.String(), want)
	}
}

// A name of a file that is empty is named as such, in arguments and flags of all commands.
func TestEmptyNames(t *testing.T) {
	t.Chdir(t.TempDir())
	saved(t, "c.linnet", false)
	if err := os.WriteFile("films.csv", []byte(films(1, 60)), 0o666); err != nil {
		t.Fatal(err)
	}
	before := leftBehind(t)
	fails := func(want string, args ...string) {
		t.Helper()
		var stdout, stderr strings.Builder
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // a server that starts ends
		defer cancel()
		code := run(ctx, args, strings.NewReader(""), &stdout, &stderr)
		if code != exitUsage || !strings.HasPrefix(stderr.String(), "linnet: "+want) || stdout.Len() > 0 {
			t.Errorf("%q: exit code %d, %q and %q, want %s", args, code, stdout.String(), stderr.String(), want)
		}
	}
	for _, args := range [][]string{
		{"DATA", "train", "", "-o", "out"}, {"DATA", "check", "", "--quick"}, {"DATA2", "check", "films.csv", ""}, {"FILE", "evaluate", "", "films.csv"},
		{"DATA", "evaluate", "c.linnet", ""}, {"FILE", "predict", ""}, {"DATA", "predict", "c.linnet", ""}, {"FILE", "explain", "", "lovely"}, {"FILE", "inspect", ""},
		{"FILE", "quantize", "", "-o", "out"}, {"HISTORY", "plot", ""}, {"FILE", "results", ""}, {"FILE", "results", "x", ""}, {"FILE|NAME=FILE", "serve", ""}, {"FILE|NAME=FILE", "serve", "c.linnet", ""},
	} {
		fails(args[0]+` is "", which names no file: the usage is linnet `+args[1], args[1:]...)
	}
	fails(`"a=" names no file: write NAME=FILE`, "serve", "a=")
	// Empty texts and names of values are no files.
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"explain", "c.linnet", ""}, nil, &stdout, &stderr); code != 0 {
		t.Errorf("an empty text: %q", stderr.String())
	}
	complete := map[string][]string{
		"train": {"films.csv", "-o", "out"}, "evaluate": {"c.linnet", "films.csv"}, "predict": {"c.linnet", "films.csv"}, "serve": {"c.linnet", "--addr", "127.0.0.1:0"},
		"quantize": {"c.linnet", "-o", "out", "--size", "100KB"}, "plot": {"films.csv"},
	}
	files := map[string]bool{}
	for _, cmd := range newRoot().Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			ofFile := regexp.MustCompile(`\bfile\b`).MatchString(f.Usage) && f.Value.Type() == "string" && f.Name != "size"
			if ofFile != slices.Contains(fileFlags, f.Name) {
				t.Errorf("%s --%s: fileFlags are wrong about it", cmd.Name(), f.Name)
			}
			if !ofFile {
				return
			}
			files[f.Name] = true
			args := append([]string{cmd.Name()}, complete[cmd.Name()]...)
			fails("--"+f.Name+` "": this names no file (linnet `+cmd.Name()+" --help lists the flags)", append(args, "--"+f.Name, "")...)
		})
	}
	if len(files) != len(fileFlags) {
		t.Errorf("flags that name files: %v, fileFlags %v", files, fileFlags)
	}
	fails(`--sweep, --continue=: --continue "": this names no file (linnet train --help lists the flags)`, "train", "films.csv", "-o", "out", "--sweep", "continue=x,")
	if after := leftBehind(t); after != before {
		t.Errorf("there are the files\n%s\nof which there were\n%s", after, before)
	}
}

// leftBehind lists the files in the working directory.
func leftBehind(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, "\n")
}

// Flags that exclude one another are known by a name of cobra's own.
func TestExclusiveFlags(t *testing.T) {
	n := 0
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { n += len(f.Annotations[exclusive]) })
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newRoot())
	if n == 0 {
		t.Error("no flags exclude one another")
	}
}

// What --help says of exit codes is what docs/command.md says.
func TestExitCodesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/command.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(exitCodes) {
		if code, _, ok := strings.Cut(strings.TrimSpace(line), "  "); ok && !strings.Contains(string(page), "\n| "+code+" | ") {
			t.Errorf("command.md has no exit code %s", code)
		}
	}
}
