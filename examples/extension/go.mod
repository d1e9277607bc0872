module example.com/extension

go 1.26.0

require github.com/linnet-ml/linnet v0.0.0

require (
	github.com/dgryski/go-farm v0.0.0-20240924180020-3414d57e47da // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.42.0 // indirect
)

replace github.com/linnet-ml/linnet => ../..
