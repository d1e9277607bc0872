package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/serve"
	"github.com/spf13/cobra"
)

// The environment's part in the flags of serve.
const (
	addrVariable = "LINNET_ADDR"
	keyVariable  = "LINNET_API_KEY"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	o                    serve.Options
	addr, pprof          string
	keyFile              string
	certificate, key     string
	logFormat, logLevel  string
	reload               time.Duration
	drainDelay, drainFor time.Duration
	connections          int
	hosts                []string
}

func newServe() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve FILE|NAME=FILE ...",
		Short: "Answer HTTP requests with labels",
		Long: `Serve answers HTTP requests for the labels of texts, and shows a page to try the classifiers. A classifier's name is that of
its file without the extension, or NAME; the first one answers requests that name none.

  curl --json '{"text": "a lovely film"}' http://127.0.0.1:8080/v1/classify

/openapi.json describes all paths: /v1/classify, the Open Inference Protocol under /v2, and /metrics for Prometheus.

A file that changes is loaded, and requests go on meanwhile; a broken one changes nothing but the log and the metrics. SIGTERM or
Ctrl-C makes the server unready; it answers what has begun and ends with exit code 0, or 1 if that took longer than
--drain-timeout. The log is on the standard error and has no texts.

` + addrVariable + ` is the address without --addr. ` + keyVariable + ` is a key that requests must have, as "Authorization: Bearer KEY" or
"X-API-Key: KEY"; --api-key-file has several, one a line. Keys are read once: a new one needs a restart.`,
		Example: "  linnet serve reviews.linnet\n  linnet serve films=reviews.linnet mail.linnet --api-key-file keys.txt --log-format json",
		Args:    arguments(1, 1000),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.addr, "addr", "", "the `HOST:PORT` to listen on; 127.0.0.1:8080 by default")
	flags.StringArrayVar(&f.hosts, "host", nil, "a `NAME` besides localhost that requests may have in Host, as of a proxy on this machine; only a server on the loopback without keys looks at it")
	flags.StringVar(&f.keyFile, "api-key-file", "", "a `file` with the keys of which requests must have one")
	flags.StringVar(&f.certificate, "tls-cert", "", "a `file` with the certificates for TLS; read again when it changes")
	flags.StringVar(&f.key, "tls-key", "", "the `file` with the private key of --tls-cert")
	flags.DurationVar(&f.reload, "reload", 2*time.Second, "how often to look for changed files; 0 for never")
	flags.DurationVar(&f.drainDelay, "drain-delay", 0, "how long to take further requests after SIGTERM, until load balancers know")
	flags.DurationVar(&f.drainFor, "drain-timeout", 30*time.Second, "how long to wait for the requests that have begun")
	flags.Int64Var(&f.o.MaxBody, "max-body", 4<<20, "the largest body of a request in `bytes`")
	flags.IntVar(&f.o.MaxTexts, "max-texts", 1024, "the largest `number` of texts in a request")
	flags.IntVar(&f.o.MaxText, "max-text", 1<<20, "the largest text in `bytes`")
	flags.IntVar(&f.o.MaxExplained, "max-explained", 64<<10, "the largest size in `bytes` of the texts that a request wants explained, together")
	flags.Int64Var(&f.o.MaxBuffered, "max-buffered", 256<<20, "the `bytes` that the bodies and answers of all requests may take together; never less than --max-body")
	flags.IntVar(&f.o.MaxConcurrent, "max-concurrent", 256, "the largest `number` of requests that are classified at once")
	flags.IntVar(&f.connections, "max-connections", 4096, "the largest `number` of connections; further ones take the place of those that have waited longest for a request")
	flags.DurationVar(&f.o.BodyTimeout, "body-timeout", 10*time.Second, "how long a request's body may take to arrive")
	flags.BoolVar(&f.o.NoPage, "no-page", false, "leave out the page at /")
	flags.StringVar(&f.logFormat, "log-format", "text", "text or json")
	flags.StringVar(&f.logLevel, "log-level", "info", "debug (every request), info, warn or error")
	flags.StringVar(&f.pprof, "pprof", "", "a second `HOST:PORT` for Go's profiles")
	return cmd
}

// named splits an argument into the name and the file of a classifier.
func named(argument string) (name, path string, err error) {
	if name, path, ok := strings.Cut(argument, "="); ok && serve.ValidName(name) {
		if path == "" {
			return "", "", usagef("%.80q names no file: write NAME=FILE", argument)
		}
		return name, path, nil
	}
	name = strings.TrimSuffix(filepath.Base(argument), filepath.Ext(argument))
	if !serve.ValidName(name) {
		return "", "", usagef("%.80q makes no name for paths: write NAME=FILE, the name of letters, digits, points, hyphens and underscores", argument)
	}
	return name, argument, nil
}

// check checks the flags and adds what the environment says.
func (f *serveFlags) check() error {
	f.addr = cmp.Or(f.addr, os.Getenv(addrVariable), "127.0.0.1:8080")
	for _, a := range []string{f.addr, f.pprof} {
		if a == "" {
			continue
		}
		_, port, err := net.SplitHostPort(a)
		if err != nil {
			return usagef("%.80q is no address: write HOST:PORT, such as 127.0.0.1:8080", a)
		}
		if _, err := net.LookupPort("tcp", port); err != nil {
			return usagef("%.80q is no address: %.40q is no port, which is a number from 0 to 65535", a, port)
		}
	}
	if (f.certificate == "") != (f.key == "") {
		return usagef("--tls-cert and --tls-key belong together")
	}
	for _, l := range []struct {
		name  string
		value int64
	}{
		{"max-body", f.o.MaxBody}, {"max-texts", int64(f.o.MaxTexts)}, {"max-text", int64(f.o.MaxText)}, {"max-explained", int64(f.o.MaxExplained)},
		{"max-buffered", f.o.MaxBuffered}, {"max-concurrent", int64(f.o.MaxConcurrent)},
		{"max-connections", int64(f.connections)}, {"body-timeout", int64(f.o.BodyTimeout)}, {"drain-timeout", int64(f.drainFor)},
	} {
		if l.value <= 0 {
			return usagef("--%s must be more than 0", l.name)
		}
	}
	if f.reload < 0 || f.drainDelay < 0 {
		return usagef("--reload and --drain-delay cannot be negative")
	}
	return nil
}

// logger makes the log.
func (f *serveFlags) logger(cmd *cobra.Command) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, usagef("--log-level %.40q is none of debug, info, warn, error", f.logLevel)
	}
	o := &slog.HandlerOptions{Level: level}
	switch f.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(jsonLog{cmd.ErrOrStderr()}, o)), nil
	}
	return nil, usagef("--log-format %.40q is neither text nor json", f.logFormat)
}

// maxKeys is the largest file of keys in bytes.
const maxKeys = 1 << 20

// readSmall reads a file or a pipe of at most most bytes. A pipe that nobody writes to must not keep the program from ending with
// its context: the goroutine that waits for it is left behind.
func readSmall(ctx context.Context, path string, most int64) ([]byte, error) {
	type result struct {
		b   []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		f, err := os.Open(path)
		if err != nil {
			done <- result{nil, err}
			return
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, most+1))
		if err == nil && int64(len(b)) > most {
			err = fmt.Errorf("%s: it has more than %d bytes", path, most)
		}
		done <- result{b, err}
	}()
	select {
	case r := <-done:
		return r.b, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// jsonLog escapes what is not printable, as the handler of text does.
type jsonLog struct{ to io.Writer }

func (l jsonLog) Write(b []byte) (int, error) {
	if _, err := l.to.Write(shown.JSON(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// keys reads the keys from the environment and the file.
func (f *serveFlags) keys(ctx context.Context) ([]string, error) {
	var keys []string
	if key := os.Getenv(keyVariable); key != "" {
		keys = append(keys, key)
	}
	if f.keyFile == "" {
		return keys, nil
	}
	b, err := readSmall(ctx, f.keyFile, maxKeys)
	if err != nil {
		return nil, err
	}
	n := len(keys)
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" {
			keys = append(keys, line)
		}
	}
	if len(keys) == n {
		return nil, fmt.Errorf("%s: there is no key", f.keyFile) // an empty file must not open the server to everybody
	}
	return keys, nil
}

func (f *serveFlags) run(ctx context.Context, cmd *cobra.Command, args []string) error {
	if err := f.check(); err != nil {
		return err
	}
	log, err := f.logger(cmd)
	if err != nil {
		return err
	}
	f.o.Log, f.o.Version = log, thisBuild().Version
	if f.o.APIKeys, err = f.keys(ctx); err != nil {
		return err
	}
	paths := map[string]string{}
	var models []serve.Model
	for _, a := range args {
		name, path, err := named(a)
		if err != nil {
			return err
		}
		if paths[name] != "" {
			return usagef("two classifiers have the name %s: write NAME=FILE", name)
		}
		m, err := serve.Load(ctx, name, path)
		if err != nil {
			return err
		}
		paths[name] = path
		models = append(models, m)
	}
	h, err := serve.New(models, f.o)
	if err != nil {
		return err
	}
	server := h.Server(f.addr)
	var certificates *certificates
	if f.certificate != "" {
		if certificates, err = newCertificates(ctx, f.certificate, f.key, log); err != nil {
			return err
		}
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificates.get}
	}
	listener, err := net.Listen("tcp", f.addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	address := listener.Addr().String()
	loopback := isLoopback(address)
	if loopback && len(f.o.APIKeys) == 0 {
		server.Handler = onlyHosts(h, f.hosts)
	}
	ignoreHangup()
	if os.Getenv("GOGC") == "" {
		// Requests leave much garbage beside little live memory: fewer collections cost a few MB. GOMEMLIMIT holds all the same.
		debug.SetGCPercent(gcPercent)
	}

	// Everything that runs beside the server ends before run returns.
	ctx, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer stop()
	if f.pprof != "" {
		// Profiles are served until the end: a server that does not drain is one to look at.
		toEnd, stop := context.WithCancel(context.WithoutCancel(ctx))
		defer stop()
		if err := f.servePprof(toEnd, &beside, log); err != nil {
			return err
		}
	}
	if f.reload > 0 {
		for name, path := range paths {
			beside.Go(func() { h.Watch(ctx, name, path, f.reload) })
		}
		if certificates != nil {
			beside.Go(func() { certificates.watch(ctx, f.reload) })
		}
	}
	for _, m := range models {
		log.Info("classifier loaded", "model", m.Name, "version", m.Version, "file", paths[m.Name], "classes", len(m.Classifier.Classes()))
	}
	if len(f.o.APIKeys) == 0 && !loopback {
		log.Warn("other machines can use this server, and it asks for no key", "addr", address)
	}
	scheme := "http"
	if certificates != nil {
		scheme = "https"
	}
	log.Info("serving", "addr", address, "url", scheme+"://"+reachable(address)+"/")

	connections := limitConnections(listener, f.connections)
	server.ConnState = connections.changed
	ended := make(chan error, 1)
	go func() {
		if certificates != nil {
			ended <- server.ServeTLS(connections, "", "")
		} else {
			ended <- server.Serve(connections)
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	h.SetReady(false)
	log.Info("draining: no further requests are wanted", "delay", f.drainDelay.String())
	select {
	case err := <-ended:
		return err
	case <-time.After(f.drainDelay):
	}
	last, cancel := context.WithTimeout(context.Background(), f.drainFor)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		server.Close()
		<-ended
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("requests were still being answered after %v", f.drainFor)
		}
		return err
	}
	<-ended
	log.Info("ended")
	return nil
}

// gcPercent is how much garbage there may be before a collection, in percent of the live memory.
const gcPercent = 400

// isLoopback returns whether only this machine reaches an address.
func isLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	return net.ParseIP(host).IsLoopback()
}

// reachable is an address as a client on this machine writes it: one that stands for all is no address to ask.
func reachable(address string) string {
	host, port, _ := net.SplitHostPort(address)
	if net.ParseIP(host).IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// onlyHosts answers requests whose Host is an address, localhost, one of names or, as of no browser, missing, and no others. A
// page of the web can make a browser on this machine ask a server that listens on it alone, under a name of the page's own ("DNS rebinding"), and read the answers.
func onlyHosts(h http.Handler, names []string) http.Handler {
	names = append([]string{"localhost"}, names...)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if host != "" && net.ParseIP(strings.Trim(host, "[]")) == nil && !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, host) }) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusMisdirectedRequest)
			io.WriteString(w, `{"error":"this server does not have the name in Host","code":"host","hint":"ask by an address or localhost, ask for a key, or start the server with --host NAME"}`+"\n")
			return
		}
		h.ServeHTTP(w, r)
	})
}

// servePprof serves Go's profiles on their own address until ctx is done.
func (f *serveFlags) servePprof(ctx context.Context, beside *sync.WaitGroup, log *slog.Logger) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	listener, err := net.Listen("tcp", f.pprof)
	if err != nil {
		return err
	}
	address := listener.Addr().String()
	if !isLoopback(address) {
		log.Warn("other machines can read the profiles of this server, which asks for no key there", "addr", address)
	}
	log.Info("profiles", "url", "http://"+reachable(address)+"/debug/pprof/")
	var handler http.Handler = mux
	if isLoopback(address) {
		handler = onlyHosts(mux, f.hosts)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 5 * time.Minute, IdleTimeout: time.Minute}
	beside.Go(func() { server.Serve(listener) })
	beside.Go(func() {
		<-ctx.Done()
		server.Close()
	})
	return nil
}
