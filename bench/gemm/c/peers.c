/* Times the matrix products of OpenBLAS and oneDNN for the Go program beside
 * it, which compiles this file and speaks to it by lines:
 *
 *   peers OPENBLAS ONEDNN       paths of the libraries; prints their versions and kernels
 *   shape FORM M N K            makes matrices; prints for each library a weighted sum of C
 *   time LIBRARY COUNT          multiplies COUNT times; prints the nanoseconds of processor time
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* cblas_sgemm with 64-bit integers, as in NumPy's wheel. */
typedef void (*cblas_sgemm_t)(int order, int transa, int transb, int64_t m, int64_t n, int64_t k, float alpha,
	const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
/* dnnl_sgemm, row-major. */
typedef int (*dnnl_sgemm_t)(char transa, char transb, int64_t m, int64_t n, int64_t k, float alpha,
	const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
typedef struct { int major, minor, patch; const char *hash; unsigned cpu_runtime, gpu_runtime; } dnnl_version_t;

static cblas_sgemm_t cblas_sgemm;
static dnnl_sgemm_t dnnl_sgemm;

static void *library(const char *path) {
	void *l = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!l) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return l;
}

static void *symbol(void *library, const char *name) {
	void *s = dlsym(library, name);
	if (!s) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return s;
}

static float *matrix(float *old, int64_t n, uint32_t seed) {
	free(old);
	float *x = aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64 + 64);
	if (!x) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	for (int64_t i = 0; i < n; i++) { /* the Go program fills its own alike */
		seed = seed * 1664525u + 1013904223u;
		x[i] = (float)(seed >> 8) / (1 << 23) - 1;
	}
	return x;
}

static float *a, *b, *c;
static int64_t m, n, k;
static int ta, tb;

static void multiply(int library) {
	int64_t lda = ta ? m : k, ldb = tb ? k : n;
	if (library == 0)
		cblas_sgemm(101, ta ? 112 : 111, tb ? 112 : 111, m, n, k, 1, a, lda, b, ldb, 0, c, n);
	else
		dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1, a, lda, b, ldb, 0, c, n);
}

static double sum(void) {
	double s = 0;
	for (int64_t i = 0; i < m * n; i++)
		s += c[i] * (double)(i % 13 - 6);
	return s;
}

int main(int argc, char **argv) {
	if (argc != 3) {
		fprintf(stderr, "usage: peers OPENBLAS ONEDNN\n");
		return 1;
	}
	void *blas = library(argv[1]), *dnnl = library(argv[2]);
	cblas_sgemm = (cblas_sgemm_t)symbol(blas, "scipy_cblas_sgemm64_");
	dnnl_sgemm = (dnnl_sgemm_t)symbol(dnnl, "dnnl_sgemm");
	((void (*)(int))symbol(blas, "scipy_openblas_set_num_threads64_"))(1);
	const char *config = ((const char *(*)(void))symbol(blas, "scipy_openblas_get_config64_"))();
	const char *core = ((const char *(*)(void))symbol(blas, "scipy_openblas_get_corename64_"))();
	const dnnl_version_t *v = ((const dnnl_version_t *(*)(void))symbol(dnnl, "dnnl_version"))();
	int isa = ((int (*)(void))symbol(dnnl, "dnnl_get_effective_cpu_isa"))();
	printf("%s\n%s\n%d.%d.%d\n%d\n", config, core, v->major, v->minor, v->patch, isa);
	fflush(stdout);

	char line[200], form[8];
	long long lm, ln, lk, count;
	int which;
	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "shape %7s %lld %lld %lld", form, &lm, &ln, &lk) == 4) {
			m = lm, n = ln, k = lk;
			ta = form[0] == 'T', tb = form[1] == 'T';
			a = matrix(a, m * k, 1);
			b = matrix(b, k * n, 2);
			c = matrix(c, m * n, 3);
			multiply(0);
			double s0 = sum();
			memset(c, 0, m * n * sizeof(float));
			multiply(1);
			printf("%.9g %.9g\n", s0, sum());
		} else if (sscanf(line, "time %d %lld", &which, &count) == 2) {
			struct timespec t0, t1;
			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t0);
			for (long long i = 0; i < count; i++)
				multiply(which);
			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t1);
			printf("%lld\n", (long long)(t1.tv_sec - t0.tv_sec) * 1000000000 + (t1.tv_nsec - t0.tv_nsec));
		} else {
			fprintf(stderr, "bad command: %s", line);
			return 1;
		}
		fflush(stdout);
	}
	return 0;
}
