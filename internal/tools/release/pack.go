package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// file is a member of an archive.
type file struct {
	name string // with slashes
	path string // where its content is
	mode fs.FileMode
}

// pack writes the archive of a platform: zip for Windows, tar.gz for the others. The members lie in a folder of the
// archive's name, in the order given, at the time of the commit, and belong to nobody.
func (r release) pack(t target, files []file) error {
	name := "marquee_" + r.number() + "_" + t.os + "_" + t.arch
	write, extension := packTar, ".tar.gz"
	if t.os == "windows" {
		write, extension = packZip, ".zip"
	}
	var archive bytes.Buffer
	if err := write(&archive, name, r.time, files); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, name+extension), archive.Bytes(), 0o644)
}

func packTar(out *bytes.Buffer, folder string, date time.Time, files []file) error {
	compressed, err := gzip.NewWriterLevel(out, gzip.BestCompression) // no name, no time in its header
	if err != nil {
		return err
	}
	archive := tar.NewWriter(compressed)
	for _, f := range files {
		data, err := os.ReadFile(f.path)
		if err != nil {
			return err
		}
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: folder + "/" + f.name, Size: int64(len(data)), Mode: int64(f.permissions()),
			ModTime: date.UTC().Truncate(time.Second), Format: tar.FormatUSTAR,
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(data); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return compressed.Close()
}

func packZip(out *bytes.Buffer, folder string, date time.Time, files []file) error {
	archive := zip.NewWriter(out)
	for _, f := range files {
		data, err := os.ReadFile(f.path)
		if err != nil {
			return err
		}
		header := &zip.FileHeader{Name: folder + "/" + f.name, Method: zip.Deflate, Modified: date.UTC().Truncate(time.Second)}
		header.SetMode(f.permissions())
		w, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return archive.Close()
}

func (f file) permissions() fs.FileMode {
	if f.mode != 0 {
		return f.mode
	}
	return 0o644
}
