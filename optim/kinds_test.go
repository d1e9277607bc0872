package optim_test

import (
	"testing"

	"github.com/linnet-ml/linnet/internal/kindtest"
	"github.com/linnet-ml/linnet/optim"
)

func TestListOfKinds(t *testing.T) { kindtest.Check(t, optim.Kinds()) }
