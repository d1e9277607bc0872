package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/datasets/texts"
)

// serveKey names, for -only, what is measured of servers. It has a part of the results for itself.
const (
	serveKey      = "serve"
	serveAloneKey = "serve-alone"
	serveBatchKey = "serve-batch"
	serveSoakKey  = "serve-soak"
)

const serveNote = "A classifier that linnet train has learned from four fifths of the training reviews, behind linnet serve, and a fastText model " +
	"of the same rows behind FastAPI and uvicorn with uvloop and httptools; and what linnet serve stands on: a server of Go's net/http that reads each body and answers the " +
	"same bytes each time. Requests come from wrk (one thread) on the loopback of the same machine, whose " +
	"cores client and server share: 1,000 held-out reviews, each cut to 230 words, in turn, or batches of 64 of them. " +
	"The processor's time is that of the server alone, by request; without HTTP the same models label the same texts, on one thread."

var servePart = part{
	begin: "<!-- begin: go run ./bench/peers -only serve -->", end: "<!-- end: go run ./bench/peers -only serve -->",
	title: "A classifier behind HTTP, beside fastText behind FastAPI", note: serveNote,
}

const (
	serveWords  = 230  // of a text
	serveTexts  = 1000 // that are sent in turn
	serveBatch  = 64   // texts of a batch
	serveRounds = 3
)

// concurrencies are the numbers of connections.
var concurrencies = []int{1, 8, 64}

// serveFor is how long a load lasts.
func (b *bench) serveFor() time.Duration {
	if b.quick {
		return time.Second
	}
	return 10 * time.Second
}

var serveFigures = []figure{
	{"rate", "requests/s", 0, false},
	{"request_us", "a request, µs", 1, true},
	{"p50_ms", "p50, ms", 2, false},
	{"p99_ms", "p99, ms", 2, false},
	{"p999_ms", "p99.9, ms", 2, false},
	{"cpu_us", "processor, µs", 1, false},
	{"rss_mb", "memory, MB", 0, false},
	{"errors", "errors", 0, false},
}

// serveSections are servers under load.
func (b *bench) serveSections() []section {
	python := []string{"fastapi", "uvicorn", "uvloop", "httptools", "fasttext-wheel", "numpy"}
	cores := runtime.NumCPU()
	load := func(key, title string, connections int, bodies string) section {
		return section{key, title, serveFigures, []peer{
			{"linnet", "linnet serve", nil, b.serveLoad(b.linnetServer, connections, bodies)},
			{"http", "net/http without a model", nil, b.serveLoad(b.httpServer, connections, bodies)},
			{"fastapi", "fastText, FastAPI, 1 worker", python, b.serveLoad(b.pythonServer(1), connections, bodies)},
			{"fastapi-workers", fmt.Sprintf("the same, %s", plural(cores, "worker")), python, b.serveLoad(b.pythonServer(cores), connections, bodies)},
		}}
	}
	var list []section
	for _, n := range concurrencies {
		list = append(list, load(fmt.Sprintf("serve-%d", n), fmt.Sprintf("Single reviews of %d words, %s", serveWords, plural(n, "connection")), n, "single"))
	}
	list = append(list, load(serveBatchKey, fmt.Sprintf("Batches of %d reviews, 8 connections", serveBatch), 8, "batch"))
	list = append(list, section{serveAloneKey, "The same texts without HTTP", []figure{{"predict_us", "a text, µs", 1, true}}, []peer{
		{"linnet", "linnet", nil, b.serveAlone},
		{"fasttext", "fastText", packagesOf("fasttext"), b.serveAloneScript},
	}})
	if b.soak > 0 {
		list = append(list, section{serveSoakKey, fmt.Sprintf("%v at full load, 64 connections", b.soak), []figure{
			{"requests", "requests", 0, false}, {"rate", "requests/s", 0, false}, {"errors", "errors", 0, false},
			{"rss_first_mb", "memory after the first minute, MB", 1, false}, {"rss_mb", "at the end", 1, false}, {"rss_grown", "grown, %", 1, false},
			{"goroutines", "goroutines before", 0, false}, {"left", "left after the drain", 0, false},
		}, []peer{{"linnet", "linnet serve", nil, b.serveSoak}}})
	}
	return list
}

func (b *bench) serveFile(name string) string { return filepath.Join(b.scratch, "serve-"+name) }

// prepareServe builds the program, trains the models and writes the requests. It returns why peers are missing, by their keys.
func (b *bench) prepareServe(ctx context.Context, sections []section) (missing map[string]string, err error) {
	if _, err := exec.LookPath("wrk"); err != nil {
		return nil, fmt.Errorf("%w: install it (Debian has it as wrk)", err)
	}
	if missing, err = b.prepareClassify(ctx, sections); err != nil {
		return nil, err
	}
	d := b.data["imdb"]
	if err := b.writeRequests(ctx, d.texts); err != nil {
		return nil, err
	}
	if _, err := b.start(ctx, b.threads, b.linnetProgram(), "train", d.train, "-o", b.serveFile("model.linnet")); err != nil {
		return nil, err
	}
	wanted := slices.ContainsFunc(sections, func(s section) bool {
		return slices.ContainsFunc(s.peers, func(p peer) bool { return p.packages != nil && missing[p.key] == "" })
	})
	if wanted {
		_, err := b.start(ctx, runtime.NumCPU(), pythonIn(b.venv), filepath.Join(b.scratch, "scripts", "classify.py"), "fasttext", "train", d.train, b.serveFile("model.bin"),
			"--threads", strconv.Itoa(runtime.NumCPU()))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			fmt.Fprintln(b.log, err)
			for _, key := range []string{"fastapi", "fastapi-workers", "fasttext"} {
				missing[key] = "fastText could not learn"
			}
		}
	}
	return missing, nil
}

// writeRequests writes the texts of a file, cut to their first words, as texts and as bodies of requests. Shorter texts are left out.
func (b *bench) writeRequests(ctx context.Context, path string) (err error) {
	source, err := texts.Open(ctx, path, texts.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	var rows []classifier.Example
	for row, err := range source.Rows(ctx) {
		if err != nil {
			return err
		}
		if cut, ok := firstWords(row.Text, serveWords); ok {
			rows = append(rows, classifier.Example{Text: cut, Labels: row.Labels})
		}
	}
	if len(rows) == 0 {
		return fmt.Errorf("no text of %d words", serveWords)
	}
	rows = rows[:min(len(rows), serveTexts)]
	encode := func(name string, bodies []any) error {
		return writeFile(b.serveFile(name), func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetEscapeHTML(false)
			for _, body := range bodies {
				if err := e.Encode(body); err != nil {
					return err
				}
			}
			return nil
		})
	}
	var single, batches []any
	for i, row := range rows {
		single = append(single, map[string]string{"text": row.Text})
		if i%(serveBatch/4) == 0 {
			var batch []string
			for k := range serveBatch {
				batch = append(batch, rows[(i+k)%len(rows)].Text)
			}
			batches = append(batches, map[string][]string{"texts": batch})
		}
	}
	return errors.Join(encode("single.jsonl", single), encode("batch.jsonl", batches),
		writeFile(b.serveFile("alone.jsonl"), func(w io.Writer) error { return writeLines(w, rows, true) }))
}

// firstWords is the beginning of a text, with n words.
func firstWords(text string, n int) (cut string, ok bool) {
	words := strings.Fields(text)
	if len(words) < n {
		return "", false
	}
	return strings.Join(words[:n], " "), true
}

// A server is a process that answers on the loopback.
type server struct {
	cmd   *exec.Cmd
	url   string
	facts map[string]any // of its answer when it is ready
	ended chan error
	mu    sync.Mutex
	log   bytes.Buffer
}

// serving starts a server at an address and waits until it is ready.
func (b *bench) serving(ctx context.Context, program string, args func(port string) []string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(address)
	s := &server{cmd: b.command(ctx, runtime.NumCPU(), program, args(port)...), url: "http://" + address, ended: make(chan error, 1)}
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) } // a master takes its workers with it
	s.cmd.WaitDelay = 5 * time.Second
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			s.mu.Lock()
			s.log.WriteString(lines.Text() + "\n")
			s.mu.Unlock()
		}
		s.ended <- s.cmd.Wait()
	}()
	for end := time.Now().Add(2 * time.Minute); ; {
		answer, err := http.Get(s.url + "/v2/health/ready")
		if err == nil {
			json.NewDecoder(answer.Body).Decode(&s.facts)
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		select {
		case err := <-s.ended:
			return nil, fmt.Errorf("%s has ended: %w\n%s", filepath.Base(program), err, lastLines(s.logged(), 15))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(end) {
			s.stop()
			return nil, fmt.Errorf("%s is not ready: %s", filepath.Base(program), lastLines(s.logged(), 15))
		}
	}
}

func (s *server) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// stop ends the server and waits for it.
func (s *server) stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		s.cmd.Process.Kill()
		<-s.ended
	}
}

func (b *bench) linnetServer(ctx context.Context) (*server, error) {
	return b.serving(ctx, b.linnetProgram(), func(port string) []string {
		return []string{"serve", b.serveFile("model.linnet"), "--addr", "127.0.0.1:" + port, "--pprof", "127.0.0.1:0", "--drain-delay", "3s"}
	})
}

func (b *bench) httpServer(ctx context.Context) (*server, error) {
	return b.serving(ctx, b.program("measure"), func(port string) []string { return []string{"-what", "http", "-addr", "127.0.0.1:" + port} })
}

func (b *bench) pythonServer(workers int) func(context.Context) (*server, error) {
	return func(ctx context.Context) (*server, error) {
		return b.serving(ctx, pythonIn(b.venv), func(port string) []string {
			return []string{filepath.Join(b.scratch, "scripts", "serve.py"), b.serveFile("model.bin"), port, strconv.Itoa(workers)}
		})
	}
}

// serveLoad measures a server of its own under load.
func (b *bench) serveLoad(start func(context.Context) (*server, error), connections int, bodies string) func(context.Context, int) (measurement, error) {
	return func(ctx context.Context, _ int) (measurement, error) {
		s, err := start(ctx)
		if err != nil {
			return measurement{}, err
		}
		defer s.stop()
		if _, err := b.wrk(ctx, s, connections, bodies, b.serveFor()/5); err != nil { // warms up
			return measurement{}, err
		}
		before, known := cpuTime(s.cmd.Process.Pid)
		m, err := b.wrk(ctx, s, connections, bodies, b.serveFor())
		if err != nil {
			return m, err
		}
		after, _ := cpuTime(s.cmd.Process.Pid)
		if known {
			m.figures["cpu_us"] = float64((after - before).Microseconds()) / m.figures["requests"]
		}
		if rss, ok := residentMB(s.cmd.Process.Pid); ok {
			m.figures["rss_mb"] = rss
		}
		for name, version := range s.facts {
			if title, ok := versionNames[name]; ok {
				m.facts[title] = fmt.Sprint(version)
			}
		}
		return m, nil
	}
}

// wrk sends requests to a server for some time.
func (b *bench) wrk(ctx context.Context, s *server, connections int, bodies string, d time.Duration) (measurement, error) {
	out, err := b.start(ctx, 1, "wrk", "-t1", "-c", strconv.Itoa(connections), "-d", fmt.Sprintf("%ds", max(1, int(d.Seconds()))), "--timeout", "10s",
		"-s", filepath.Join(b.scratch, "scripts", "serve.lua"), s.url+"/v1/classify", "--", b.serveFile(bodies+".jsonl"))
	if err != nil {
		return measurement{}, err
	}
	return parseWrk(out)
}

// parseWrk reads what scripts/serve.lua prints.
func parseWrk(out []byte) (measurement, error) {
	m, err := parseFigures(out)
	if err != nil {
		return m, err
	}
	n, seconds := m.figures["requests"], m.figures["seconds"]
	if !(n > 0 && seconds > 0) {
		return m, fmt.Errorf("wrk has no answer: %.200s", lastLines(string(out), 1))
	}
	m.figures["rate"], m.figures["request_us"] = n/seconds, 1e6*seconds/n
	return m, nil
}

func (b *bench) serveAlone(ctx context.Context, _ int) (measurement, error) {
	return b.jsonOf(ctx, 1, b.program("measure"), "-what", "classify", "-model", b.serveFile("model.linnet"), "-texts", b.serveFile("alone.jsonl"), "-answers", b.serveFile("answers"))
}

func (b *bench) serveAloneScript(ctx context.Context, _ int) (measurement, error) {
	return b.jsonOf(ctx, 1, pythonIn(b.venv), filepath.Join(b.scratch, "scripts", "classify.py"), "fasttext", "predict", b.serveFile("model.bin"), b.serveFile("alone.jsonl"), b.serveFile("answers"))
}

// serveSoak keeps a server at full load, and looks for what it loses: answers, memory, goroutines.
func (b *bench) serveSoak(ctx context.Context, _ int) (measurement, error) {
	s, err := b.linnetServer(ctx)
	if err != nil {
		return measurement{}, err
	}
	defer s.stop()
	before, err := s.goroutines()
	if err != nil {
		return measurement{}, err
	}
	pid := s.cmd.Process.Pid
	first := make(chan float64, 1) // after the first minute
	settle := time.AfterFunc(min(time.Minute, b.soak/4), func() {
		rss, _ := residentMB(pid)
		first <- rss
	})
	m, err := b.wrk(ctx, s, 64, "single", b.soak)
	if err != nil {
		settle.Stop()
		return m, err
	}
	if last, ok := residentMB(pid); ok {
		early := <-first
		m.figures["rss_first_mb"], m.figures["rss_mb"], m.figures["rss_grown"] = early, last, 100*(last/early-1)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil { // it drains for three seconds
		return m, err
	}
	m.figures["goroutines"] = float64(before)
	for end := time.Now().Add(2500 * time.Millisecond); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		now, err := s.goroutines()
		if err != nil {
			return m, err
		}
		m.figures["left"] = float64(max(0, now-before))
		if now <= before {
			break
		}
	}
	return m, nil
}

var (
	profiles   = regexp.MustCompile(`msg=profiles url=(\S+)`)
	goroutines = regexp.MustCompile(`^goroutine profile: total (\d+)`)
)

// goroutines is how many goroutines a linnet server has.
func (s *server) goroutines() (int, error) {
	url := profiles.FindStringSubmatch(s.logged())
	if url == nil {
		return 0, errors.New("linnet serve does not say where its profiles are")
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(url[1] + "goroutine?debug=1")
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	total := goroutines.FindSubmatch(text)
	if total == nil {
		return 0, fmt.Errorf("no profile of goroutines: %.200q", text)
	}
	return strconv.Atoi(string(total[1]))
}

// processes are a process and those that it has started, as Linux lists them.
func processes(pid int) []int {
	list := []int{pid}
	for i := 0; i < len(list); i++ {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", list[i]))
		for _, path := range tasks {
			children, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			for _, word := range strings.Fields(string(children)) {
				if n, err := strconv.Atoi(word); err == nil {
					list = append(list, n)
				}
			}
		}
	}
	return list
}

// cpuTime is the processor's time of a process and those that it has started.
func cpuTime(pid int) (d time.Duration, ok bool) {
	const tick = time.Second / 100 // USER_HZ of Linux on every processor that Go knows
	for _, p := range processes(pid) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
		if err != nil {
			continue
		}
		// The name in brackets may have spaces. utime and stime are the 12th and 13th after it.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 13 {
			continue
		}
		user, err1 := strconv.Atoi(fields[11])
		system, err2 := strconv.Atoi(fields[12])
		if err1 != nil || err2 != nil {
			continue
		}
		d += time.Duration(user+system) * tick
		ok = true
	}
	return d, ok
}

// residentMB is the memory of a process and those that it has started, in MB of 1,000,000 bytes.
func residentMB(pid int) (mb float64, ok bool) {
	for _, p := range processes(pid) {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(status)) {
			if value, found := strings.CutPrefix(line, "VmRSS:"); found {
				if kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB"))); err == nil {
					mb += float64(kb) * 1024 / 1e6
					ok = true
				}
			}
		}
	}
	return mb, ok
}
