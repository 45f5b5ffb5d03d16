// Command go-apiclient calls the movie list with this project's client package: list, read, write, delete. README.md says
// how to run it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/apiclient/movielist"
)

func main() {
	var api apiclient.EndpointConfig
	flag.StringVar(&api.URL, "url", os.Getenv("MARQUEE_URL"), "the API's invoke URL with its stage (MARQUEE_URL)")
	flag.StringVar(&api.VPCE, "vpce", os.Getenv("MARQUEE_VPCE"), "the VPC endpoint's DNS name, where private DNS is off (MARQUEE_VPCE)")
	flag.StringVar(&api.APIID, "api-id", "", "the API's id, if the URL's host is the VPC endpoint's own name")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, api)
	stop()
	var refused *apiclient.APIError
	switch {
	case err == nil:
	case errors.As(err, &refused):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(4)
	default:
		fmt.Fprintln(os.Stderr, "go-apiclient:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, api apiclient.EndpointConfig) error {
	cfg, err := config.LoadDefaultConfig(ctx) // credentials and region as every AWS tool finds them
	if err != nil {
		return err
	}
	api.Region = cfg.Region // used where no name holds one
	endpoint, err := apiclient.ResolveEndpoint(api)
	if err != nil {
		return err
	}
	client, err := apiclient.New(apiclient.Config{Endpoint: endpoint, Credentials: cfg.Credentials})
	if err != nil {
		return err
	}
	return show(ctx, movielist.New(client))
}

func show(ctx context.Context, movies *movielist.Client) error {
	for movie, err := range movies.All(ctx, movielist.Filter{Director: "Alfonso Cuarón", Sort: movielist.OldestFirst}) {
		if err != nil {
			return err
		}
		fmt.Println(movie.Year, movie.Title)
	}

	movie, err := movies.Get(ctx, 1997, "Face/Off")
	if err != nil {
		return err
	}
	fmt.Printf("%s (%d) was directed by %s\n", movie.Title, movie.Year, strings.Join(movie.Info.Directors, ", "))

	mine := movielist.Movie{Year: 2026, Title: fmt.Sprintf("Café / Bar, take %d", os.Getpid())}
	mine.Info.Genres = []string{"Comedy"}
	written, err := movies.Put(ctx, mine, movielist.IfAbsent())
	if err != nil {
		return err
	}
	fmt.Println("wrote", mine.Title)
	if err := movies.Delete(ctx, mine.Year, mine.Title, movielist.IfMatch(written.ETag)); err != nil {
		return err
	}
	fmt.Println("deleted it")
	return nil
}
