package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/local"
)

// consolePort is the console's place among the doors of marquee local.
const consolePort = local.DefaultPort + 4

func newConsoleCommand(env environment) *cobra.Command {
	var (
		log  string
		port int
	)
	cmd := &cobra.Command{
		Use:   "console --log FILE",
		Short: "Show a recorded run: each request, and why it was let in or refused",
		Long: `Show the page of a recorded run: each request of a log that marquee local --log wrote, why it was let in or refused, and
the run in figures. A running stack has this page at its console_url, where calls can be tried besides.

The page is served on 127.0.0.1 alone. Ctrl-C stops it.`,
		Example: `  marquee local --log requests.jsonl
  marquee console --log requests.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if log == "" {
				return errors.New("console: --log FILE is needed: a log that marquee local --log FILE wrote")
			}
			return showLog(cmd.Context(), env, log, port)
		},
	}
	cmd.Flags().StringVar(&log, "log", "", "the `file` that marquee local --log wrote")
	cmd.Flags().IntVar(&port, "port", consolePort, "where the page is served; 0 takes a free port")
	return cmd
}

// showLog serves the page of a log until it is told to stop.
func showLog(ctx context.Context, env environment, log string, port int) error {
	file, err := os.Open(log)
	if err != nil {
		return err
	}
	defer file.Close()
	page := console.New(console.Config{Run: console.Run{Recorded: log}, Random: rand.Text, Now: time.Now})
	got, err := page.Read(file)
	if err != nil {
		return fmt.Errorf("%s: %w", log, err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("%w: choose another port with --port, 0 for a free one", err)
	}
	server := &http.Server{Handler: page.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	noun := "requests"
	if got.Requests == 1 {
		noun = "request"
	}
	fmt.Fprintf(env.Stderr, "%d %s of %s: http://%s/\nCtrl-C stops it.\n", got.Requests, noun, log, listener.Addr())
	if got.Cut > 0 {
		hold := "hold"
		if got.Cut == 1 {
			hold = "holds"
		}
		fmt.Fprintf(env.Stderr, "marquee: %d of them %s more than a gateway writes: the rest is left out.\n", got.Cut, hold)
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		page.Close()
		ending, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(ending)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
