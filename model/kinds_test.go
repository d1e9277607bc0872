package model_test

import (
	"testing"

	"github.com/linnet-ml/linnet/internal/kindtest"
	"github.com/linnet-ml/linnet/model"
)

func TestListOfKinds(t *testing.T) { kindtest.Check(t, model.Kinds()) }
