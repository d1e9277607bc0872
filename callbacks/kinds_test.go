package callbacks_test

import (
	"testing"

	"github.com/linnet-ml/linnet/internal/kindtest"
	"github.com/linnet-ml/linnet/callbacks"
)

func TestListOfKinds(t *testing.T) { kindtest.Check(t, callbacks.Kinds()) }
