package main

import (
	"bytes"
	"cmp"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// list writes what the programs consist of, as CycloneDX (ECMA-424): every module that the linker put into one of them,
// read from the programs themselves and not from go.mod, which names more.
func (r release) list(programs []string) error {
	var first *debug.BuildInfo
	modules := map[string]*debug.Module{}
	for _, path := range programs {
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			return err
		}
		if first == nil {
			first = info
		}
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			modules[m.Path+"@"+m.Version] = m
		}
	}
	if len(modules) == 0 {
		return errors.New("no program names a module")
	}
	bom, err := r.bom(first, modules)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := cdx.NewBOMEncoder(&text, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, "marquee_"+r.number()+"_sbom.cdx.json"), text.Bytes(), 0o644)
}

func (r release) bom(info *debug.BuildInfo, modules map[string]*debug.Module) (*cdx.BOM, error) {
	self := component(info.Main.Path, r.version)
	self.Type = cdx.ComponentTypeApplication
	self.Licenses = &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}}
	runtime := component("std", strings.TrimPrefix(info.GoVersion, "go"))
	runtime.Description = "The standard library of Go"
	components := []cdx.Component{runtime}
	for _, m := range modules {
		c := component(m.Path, m.Version)
		hash, err := sumOf(m)
		if err != nil {
			return nil, err
		}
		c.Hashes = hash
		components = append(components, c)
	}
	slices.SortFunc(components, func(a, b cdx.Component) int { return cmp.Compare(a.BOMRef, b.BOMRef) })
	needed := make([]string, len(components))
	for i, c := range components {
		needed[i] = c.BOMRef
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: r.time.UTC().Format(time.RFC3339), Component: &self}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: self.BOMRef, Dependencies: &needed}}
	return bom, nil
}

func component(path, version string) cdx.Component {
	url := "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
	return cdx.Component{BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: url}
}

// sumOf is a module's sum in go.sum (h1: SHA-256 over its files' sums, in base64), in the hexadecimal of CycloneDX.
func sumOf(m *debug.Module) (*[]cdx.Hash, error) {
	text, ok := strings.CutPrefix(m.Sum, "h1:")
	if !ok {
		return nil, fmt.Errorf("module %s@%s has no sum: is it replaced by a folder?", m.Path, m.Version)
	}
	sum, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("the sum of module %s@%s: %w", m.Path, m.Version, err)
	}
	return &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}, nil
}
