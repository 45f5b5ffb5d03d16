package sigv4
import ("testing";"time";"net/http";"crypto/sha256")
func setup() (*SignInput, *scratch, *draft){
 r,_:=http.NewRequest("GET","https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev/movie_list?year=2013&limit=25&title=The%20Lunchbox&next=eyJ5ZWFyIjoyMDEzfQ%3D%3D",nil)
 r.Header.Set("Accept","application/json"); r.Header.Set("User-Agent","x"); r.Header.Set("X-Amz-Date","x"); r.Header.Set("Authorization","xx")
 in:=&SignInput{Request:r,PayloadHash:EmptyPayloadHash,Credentials:Credentials{AccessKeyID:"AKIDEXAMPLE",SecretAccessKey:"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},Region:"ap-northeast-2",Service:"execute-api",Time:time.Date(2026,11,23,1,2,3,0,time.UTC)}
 w:=getScratch(); d:=&draft{}; d.prepare(in,w); d.addOwnFields(w); return in,w,d }
func BenchmarkPrepare(b *testing.B){ in,w,_:=setup(); for b.Loop(){ var d draft; d.prepare(in,w); d.addOwnFields(w)}}
func BenchmarkCollect(b *testing.B){ _,w,d:=setup(); for b.Loop(){ d.collectFields(w)}}
func BenchmarkOwn(b *testing.B){ _,w,d:=setup(); f:=d.fields[:1]; for b.Loop(){ d.fields=f; d.addOwnFields(w)}}

func BenchmarkTarget(b *testing.B){ in,_,_:=setup(); for b.Loop(){ wireTarget(in.Request.URL)}}
func BenchmarkWrite(b *testing.B){ _,w,d:=setup(); d.query=""; for b.Loop(){ d.write(w)}}
func BenchmarkWriteQ(b *testing.B){ _,w,d:=setup(); for b.Loop(){ d.write(w)}}
func BenchmarkSTS(b *testing.B){ _,w,d:=setup();d.query=""; d.write(w); for b.Loop(){ w.writeStringToSign(algorithmHMAC,w.time,"20261123/ap-northeast-2/execute-api/aws4_request")}}
func BenchmarkSTSsum(b *testing.B){ _,w,d:=setup();d.query=""; d.write(w); b.Log(len(w.canonical)); for b.Loop(){ sha256.Sum256(w.canonical)}}
func BenchmarkKeyGet(b *testing.B){ in,w,_:=setup(); var s Signer; for b.Loop(){ s.keys.get(in.Credentials.AccessKeyID,in.Credentials.SecretAccessKey,w.time[:8],in.Region,in.Service)}}
func BenchmarkKeySign(b *testing.B){ in,w,d:=setup(); var s Signer; s.sign(d,w); k:=s.keys.get(in.Credentials.AccessKeyID,in.Credentials.SecretAccessKey,w.time[:8],in.Region,in.Service); for b.Loop(){ k.sign(w)}}
func BenchmarkSet(b *testing.B){ _,w,d:=setup(); text:=make([]byte,230); for b.Loop(){ d.setHeaders(string(text),w)}}
func BenchmarkPool(b *testing.B){ for b.Loop(){ w:=getScratch(); w.release()}}
