package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/marquee-api/marquee/internal/lambdahost"
)

// Call invokes the caller function once through the Invoke API, as anyone would, and shows what it got to w. It is an
// error if the call was not let in and answered.
func (s *Stack) Call(ctx context.Context, w io.Writer) error {
	if s.caller == "" {
		return errors.New("no function of the template may invoke the API: nothing to call it with")
	}
	url := s.state.LambdaURL + "/2015-03-31/functions/" + s.caller + "/invocations"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte("{}")))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("invoking %s: %w", s.caller, err)
	}
	defer response.Body.Close()
	payload, err := io.ReadAll(io.LimitReader(response.Body, lambdahost.MaxResponsePayload))
	if err != nil {
		return fmt.Errorf("invoking %s: %w", s.caller, err)
	}
	if response.StatusCode != http.StatusOK || response.Header.Get("X-Amz-Function-Error") != "" {
		return fmt.Errorf("function %s failed: %s", s.caller, printable(string(payload)))
	}
	var result callResult
	if err := json.Unmarshal(payload, &result); err != nil {
		return fmt.Errorf("function %s answered %.200q: %w", s.caller, payload, err)
	}
	if result.Status < 200 || result.Status > 299 {
		return fmt.Errorf("the API answered %d: %s", result.Status, printable(string(result.Body)))
	}
	return printResult(w, &result)
}

// CallsFirst says whether the stack begins with a [Stack.Call]. Somebody has to wish that: what a function of anybody's
// template does when it is invoked is not known here.
func (s *Stack) CallsFirst() bool { return s.callsFirst }
