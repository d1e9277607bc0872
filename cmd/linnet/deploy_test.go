package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/serve"
	"go.yaml.in/yaml/v4"
)

// deployed reads a file of the folder deploy.
func deployed(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// checkArguments parses the flags of a "linnet serve" as the program does, and returns how many there are.
func checkArguments(t *testing.T, args []string) int {
	t.Helper()
	cmd := newServe()
	if err := cmd.ParseFlags(args); err != nil {
		t.Errorf("linnet serve %q: %v", args, err)
	}
	return len(args) - cmd.Flags().NArg()
}

// A manifest is what the test looks at of each part of kubernetes.yaml.
type manifest struct {
	Kind string
	Spec struct {
		MinAvailable int `yaml:"minAvailable"`
		Replicas     int
		Selector     map[string]any
		Ports        []struct {
			TargetPort string `yaml:"targetPort"`
		}
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				Containers []struct {
					Args  []string
					Image string
					Env   []struct{ Name, Value string }
					Ports []struct {
						Name          string
						ContainerPort int `yaml:"containerPort"`
					}
					VolumeMounts   []struct{ Name, MountPath string } `yaml:"volumeMounts"`
					StartupProbe   probe                              `yaml:"startupProbe"`
					ReadinessProbe probe                              `yaml:"readinessProbe"`
					LivenessProbe  probe                              `yaml:"livenessProbe"`
				}
				Volumes []struct{ Name string }
			}
		}
	}
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// The manifest is YAML whose parts fit together and to the program: flags, variables, probes and selectors.
func TestDeployKubernetes(t *testing.T) {
	parts := map[string]manifest{}
	for d := yaml.NewDecoder(strings.NewReader(deployed(t, "kubernetes.yaml"))); ; {
		var m manifest
		err := d.Decode(&m)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		parts[m.Kind] = m
	}
	spec := parts["Deployment"].Spec
	labels := spec.Template.Metadata.Labels
	matches := func(selector any) bool {
		s, ok := selector.(map[string]any)
		return ok && len(s) == 1 && s["app"] == labels["app"] && labels["app"] != ""
	}
	if len(parts) != 3 || !matches(spec.Selector["matchLabels"]) || !matches(parts["Service"].Spec.Selector) || !matches(parts["PodDisruptionBudget"].Spec.Selector["matchLabels"]) {
		t.Fatalf("%d parts, or selectors that do not fit", len(parts))
	}
	if least := parts["PodDisruptionBudget"].Spec.MinAvailable; least >= spec.Replicas || least < 1 {
		t.Errorf("%d of %d must be available", least, spec.Replicas)
	}
	c := spec.Template.Spec.Containers[0]
	if len(c.Args) < 3 || c.Args[0] != "serve" {
		t.Fatalf("arguments %q", c.Args)
	}
	checkArguments(t, c.Args[1:])
	if strings.HasSuffix(c.Image, ":latest") || !strings.Contains(c.Image, ":") {
		t.Errorf("image %s is pulled at each start", c.Image)
	}
	for _, e := range c.Env {
		if e.Name != addrVariable && e.Name != keyVariable && e.Name != "GOMEMLIMIT" {
			t.Errorf("there is no variable %s", e.Name)
		}
		if e.Name == addrVariable && e.Value != "0.0.0.0:8080" {
			t.Errorf("%s is %s", e.Name, e.Value)
		}
	}
	if p := c.Ports[0]; p.Name != "http" || p.ContainerPort != 8080 || parts["Service"].Spec.Ports[0].TargetPort != p.Name {
		t.Errorf("ports %+v", c.Ports)
	}
	for i, v := range c.VolumeMounts {
		if v.Name != spec.Template.Spec.Volumes[i].Name || !strings.HasPrefix(c.Args[1], v.MountPath) {
			t.Errorf("volume %s", v.Name)
		}
	}
	path := filepath.Join(t.TempDir(), "m.linnet")
	saved(t, path, false)
	m, err := serve.Load(t.Context(), "m", path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := serve.New([]serve.Model{m}, serve.Options{APIKeys: []string{"key"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", p.HTTPGet.Path, nil))
		if w.Code != 200 || p.HTTPGet.Port != c.Ports[0].Name {
			t.Errorf("a probe of %s at %s: %d", p.HTTPGet.Path, p.HTTPGet.Port, w.Code)
		}
	}
}

// The parts of a Job run as Kubernetes runs them, with its variable replaced, label each row once, and their files give the order of
// the rows back. What a part does after a fault depends on exit codes that the program has.
func TestDeployJob(t *testing.T) {
	var job struct {
		Kind string
		Spec struct {
			CompletionMode       string `yaml:"completionMode"`
			Completions          int
			Parallelism          int
			BackoffLimitPerIndex int `yaml:"backoffLimitPerIndex"`
			PodFailurePolicy     struct {
				Rules []struct {
					Action      string
					OnExitCodes struct {
						ContainerName, Operator string
						Values                  []int
					} `yaml:"onExitCodes"`
				}
			} `yaml:"podFailurePolicy"`
			Template struct {
				Spec struct {
					RestartPolicy string `yaml:"restartPolicy"`
					Containers    []struct {
						Args         []string
						VolumeMounts []struct {
							Name      string
							MountPath string `yaml:"mountPath"`
							ReadOnly  bool   `yaml:"readOnly"`
						} `yaml:"volumeMounts"`
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal([]byte(deployed(t, "kubernetes-job.yaml")), &job); err != nil {
		t.Fatal(err)
	}
	spec := job.Spec
	parts := spec.Completions
	if job.Kind != "Job" || spec.CompletionMode != "Indexed" || parts < 2 || spec.Parallelism > parts || spec.BackoffLimitPerIndex < 1 || spec.Template.Spec.RestartPolicy != "Never" {
		t.Fatalf("the Job is %+v", spec)
	}
	if rules := spec.PodFailurePolicy.Rules; len(rules) != 2 || rules[1].Action != "FailJob" || len(rules[1].OnExitCodes.Values) != 1 || rules[1].OnExitCodes.Values[0] != exitUsage {
		t.Errorf("the rules are %+v", rules)
	}
	c := spec.Template.Spec.Containers[0]
	dir := t.TempDir()
	paths := []string{}
	for _, v := range c.VolumeMounts {
		if v.ReadOnly != (v.Name != "labels") {
			t.Errorf("volume %s: read only is %v", v.Name, v.ReadOnly)
		}
		if err := os.Mkdir(filepath.Join(dir, v.MountPath), 0o777); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, v.MountPath+"/", filepath.Join(dir, v.MountPath)+"/")
	}
	saved(t, filepath.Join(dir, "models", "reviews.linnet"), false)
	data := "text\n"
	for i := range 3*parts + 1 {
		data += fmt.Sprintf("a film number %d%s\n", i, strings.Repeat(" lovely", i%5))
	}
	csv := filepath.Join(dir, "data", "reviews.csv")
	if err := os.WriteFile(csv, []byte(data), 0o666); err != nil {
		t.Fatal(err)
	}
	start := func(args ...string) (stdout string, code int) {
		var out strings.Builder
		code = run(t.Context(), args, strings.NewReader(""), &out, io.Discard)
		return out.String(), code
	}
	want, code := start("predict", filepath.Join(dir, "models", "reviews.linnet"), csv)
	if code != 0 {
		t.Fatalf("exit code %d", code)
	}
	files := make([][]string, parts)
	for i := range parts {
		replace := strings.NewReplacer(append(paths, "$(JOB_COMPLETION_INDEX)", fmt.Sprint(i))...)
		args := []string{}
		for _, a := range c.Args {
			args = append(args, replace.Replace(a))
		}
		if stdout, code := start(args...); code != 0 || stdout != "" {
			t.Fatalf("part %d: %q: exit code %d, %q", i, args, code, stdout)
		}
		b, err := os.ReadFile(filepath.Join(dir, "labels", fmt.Sprintf("%d.tsv", i)))
		if err != nil {
			t.Fatal(err)
		}
		files[i] = slices.Collect(strings.Lines(string(b)))
	}
	var merged strings.Builder
	for row := range len(files[0]) {
		for _, lines := range files {
			if row < len(lines) {
				merged.WriteString(lines[row])
			}
		}
	}
	if merged.String() != want {
		t.Errorf("the parts give\n%swant\n%s", merged.String(), want)
	}
	if _, code := start(append(c.Args[:len(c.Args):len(c.Args)], "--shard=8+1/8")...); code != exitUsage {
		t.Errorf("a part too many ends with exit code %d", code)
	}
}

// The unit starts the program with flags that it has, and systemd takes the unit where there is one.
func TestDeploySystemd(t *testing.T) {
	unit := deployed(t, "linnet.service")
	n := 0
	for line := range strings.Lines(unit) {
		if _, after, ok := strings.Cut(line, "/linnet serve "); ok {
			n += checkArguments(t, strings.Fields(after))
		}
	}
	if n != 6 {
		t.Errorf("%d words of flags", n)
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "linnet.service")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(unit, "/usr/local/bin/linnet", self)), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput(); err != nil || bytes.Contains(out, []byte("linnet.service")) {
		t.Errorf("systemd-analyze verify: %v: %s", err, out)
	}
}

// The image is built from all that the program needs, and starts it as it wants to be started.
func TestDeployDockerfile(t *testing.T) {
	for _, v := range regexp.MustCompile(`\bLINNET_[A-Z_]+`).FindAllString(deployed(t, "Dockerfile"), -1) {
		if v != addrVariable && v != keyVariable {
			t.Errorf("there is no variable %s", v)
		}
	}
	out, err := exec.Command("go", "list", "-deps", "-f", `{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}`, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 20 {
		t.Fatalf("packages %q", packages)
	}
	for line := range strings.Lines(deployed(t, "Dockerfile.dockerignore")) {
		ignored := strings.TrimSpace(line)
		for _, p := range packages {
			folder, _ := strings.CutPrefix(p, "github.com/linnet-ml/linnet/")
			if folder == ignored || strings.HasPrefix(folder, ignored+"/") {
				t.Errorf("the image's build does not see %s, which the program needs", folder)
			}
		}
	}
}
