package sigv4_test
import ("testing";"context";"sort";"fmt";"os";"syscall";"github.com/aws/aws-sdk-go-v2/aws"; v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4";"github.com/marquee-api/marquee/internal/sigv4")
func cpu() int64 { var r syscall.Rusage; syscall.Getrusage(0,&r); return r.Utime.Nano()+r.Stime.Nano() }
func TestRatio(t *testing.T){
 if os.Getenv("RATIO")=="" { t.Skip() }
 med:=func(v []float64) float64 { sort.Float64s(v); return v[len(v)/2] }
 for _,req:=range benchRequests {
   r1,r2:=req.new(t),req.new(t)
   signer := v4.NewSigner(); creds := aws.Credentials{AccessKeyID: benchCreds.AccessKeyID, SecretAccessKey: benchCreds.SecretAccessKey}
   var s sigv4.Signer
   in := &sigv4.SignInput{Request: r1, Credentials: benchCreds, Body: req.body, Region: "ap-northeast-2", Service: "execute-api", Time: benchTime}
   if req.body==nil { in.PayloadHash=sigv4.EmptyPayloadHash }
   vin := signedInput(t, req); var v sigv4.Verifier
   buf:=make([]byte,0,500)
   fs := map[string]func(){ "sdk":func(){ signer.SignHTTP(context.Background(), creds, r2, sigv4.HashBody(req.body), "execute-api", "ap-northeast-2", benchTime)},
    "sign":func(){s.Sign(in)}, "append":func(){buf,_=s.AppendAuthorization(buf[:0],in)}, "verify":func(){ if req.body!=nil {vin.PayloadHash=sigv4.HashBody(req.body)}; v.Verify(vin)} }
   names:=[]string{"sdk","sign","append","verify"}
   times:=map[string][]float64{}; ratios:=map[string][]float64{}
   for round:=0;round<40;round++ { cur:=map[string]float64{}; for _,n:=range names { st:=cpu(); for i:=0;i<5000;i++ { fs[n]() }; cur[n]=float64(cpu()-st)/5000; times[n]=append(times[n],cur[n]) }
     ratios["sdk/sign"]=append(ratios["sdk/sign"],cur["sdk"]/cur["sign"]); ratios["verify/sign"]=append(ratios["verify/sign"],cur["verify"]/cur["sign"]) }
   for _,n:=range names { fmt.Printf("%s %-7s median %.0f min %.0f\n", req.name,n,med(times[n]),times[n][0]) }
   fmt.Printf("%s sdk/sign median of ratios %.2f, ratio of medians %.2f, of mins %.2f; verify/sign %.2f\n", req.name, med(ratios["sdk/sign"]), med(times["sdk"])/med(times["sign"]), times["sdk"][0]/times["sign"][0], med(ratios["verify/sign"]))
 }}
