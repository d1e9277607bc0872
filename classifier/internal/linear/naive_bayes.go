package linear

import (
	"context"

	"github.com/linnet-ml/linnet/simd"
)

// LogRatios returns for each column the logarithm of how much more frequent it is in positive rows than in the others:
// log((p+1)/sum(p+1)) - log((q+1)/sum(q+1)), where p and q count the rows that have the column (Wang and Manning, ACL
// 2012).
func LogRatios(ctx context.Context, x *Matrix, rows []int32, positive []bool) ([]float32, error) {
	p, q := make([]int32, x.Columns), make([]int32, x.Columns)
	present := make([]bool, x.Columns)
	for n, i := range rows {
		if err := interrupted(ctx, n); err != nil {
			return nil, err
		}
		counts := q
		if positive[i] {
			counts = p
		}
		id, _ := x.Row(i)
		for _, c := range id {
			counts[c]++
			present[c] = true
		}
	}
	sumP, sumQ := 0, 0
	for c := range p {
		if present[c] {
			sumP += int(p[c]) + 1
			sumQ += int(q[c]) + 1
		}
	}
	ratios := make([]float32, x.Columns)
	if sumP == 0 {
		return ratios, nil
	}
	prior := simd.Log64(float64(sumQ) / float64(sumP))
	for c := range ratios {
		if present[c] {
			ratios[c] = float32(simd.Log64(float64(p[c]+1)/float64(q[c]+1)) + prior)
		}
	}
	return ratios, nil
}

// Complement returns the weights of complement naive Bayes (Rennie, Shih, Teevan and Karger, ICML 2003) for each class, less
// their average over the classes: the less of a column the rows of other classes have, the larger. Class gives the class of
// each row of X. Sums are smoothed by one average value, as counts are by 1.
func Complement(ctx context.Context, x *Matrix, rows []int32, class []int32, classes int) ([][]float32, error) {
	total := make([]float64, x.Columns)
	sums := make([][]float64, classes)
	for k := range sums {
		sums[k] = make([]float64, x.Columns)
	}
	all, entries := 0.0, 0
	for n, i := range rows {
		if err := interrupted(ctx, n); err != nil {
			return nil, err
		}
		own := sums[class[i]]
		id, value := x.Row(i)
		for j, c := range id {
			total[c] += float64(value[j])
			own[c] += float64(value[j])
			all += float64(value[j])
		}
		entries += len(id)
	}
	smoothing := all / float64(max(entries, 1))
	weights := make([][]float32, classes)
	logs := make([]float64, classes)
	for k := range weights {
		weights[k] = make([]float32, x.Columns)
		all := 0.0
		for c, t := range total {
			if t > 0 {
				sums[k][c] = max(t-sums[k][c], 0) + smoothing
				all += sums[k][c]
			}
		}
		if all > 0 {
			logs[k] = simd.Log64(all)
		}
	}
	row := make([]float64, classes)
	for c, t := range total {
		if t <= 0 {
			continue
		}
		mean := 0.0
		for k := range row {
			row[k] = logs[k] - simd.Log64(sums[k][c])
			mean += row[k]
		}
		mean /= float64(classes)
		for k := range row {
			weights[k][c] = float32(row[k] - mean)
		}
	}
	return weights, nil
}
