// Command go-sdk-signer calls the movie list with net/http and the bare signer of the AWS SDK for Go: list, read, write,
// delete. README.md says how to run it, and what this leaves to the caller.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	var refused *refusal
	switch {
	case err == nil:
	case errors.As(err, &refused):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(4)
	default:
		fmt.Fprintln(os.Stderr, "go-sdk-signer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	cfg, err := config.LoadDefaultConfig(ctx) // credentials and region as every AWS tool finds them
	if err != nil {
		return err
	}
	c, err := newClient(cfg, os.Getenv("MARQUEE_URL"), os.Getenv("MARQUEE_VPCE"))
	if err != nil {
		return err
	}
	return show(ctx, c)
}

type movie struct {
	Year  int    `json:"year"`
	Title string `json:"title"`
	Info  struct {
		Directors []string `json:"directors,omitempty"`
		Genres    []string `json:"genres,omitempty"`
	} `json:"info"`
}

// path encodes the title as one segment: a slash becomes %2F.
func (m movie) path() string {
	return fmt.Sprintf("/movie_list/%d/%s", m.Year, url.PathEscape(m.Title))
}

func show(ctx context.Context, c *client) error {
	var list struct{ Items []movie }
	query := url.Values{"director": {"Alfonso Cuarón"}, "sort": {"year"}, "limit": {"10"}}
	if _, err := c.call(ctx, call{path: "/movie_list?" + query.Encode(), out: &list}); err != nil {
		return err
	}
	for _, m := range list.Items {
		fmt.Println(m.Year, m.Title)
	}

	found := movie{Year: 1997, Title: "Face/Off"}
	if _, err := c.call(ctx, call{path: found.path(), out: &found}); err != nil {
		return err
	}
	fmt.Printf("%s (%d) was directed by %s\n", found.Title, found.Year, strings.Join(found.Info.Directors, ", "))

	mine := movie{Year: 2026, Title: fmt.Sprintf("Café / Bar, take %d", os.Getpid())}
	mine.Info.Genres = []string{"Comedy"}
	header, err := c.call(ctx, call{method: http.MethodPut, path: mine.path(), in: mine})
	if err != nil {
		return err
	}
	fmt.Println("wrote", mine.Title)
	if _, err := c.call(ctx, call{method: http.MethodDelete, path: mine.path(), ifMatch: header.Get("ETag")}); err != nil {
		return err
	}
	fmt.Println("deleted it")
	return nil
}
