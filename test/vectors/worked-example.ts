/** The worked example of docs/formats/entry-v1.md. Fixed: a change here is another format. */

export const ORIGIN = 'acme.example/crumb';

export const VKEY = 'acme.example/crumb+af26471b+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c';

export const LEAVES = [
  '_sheCe8mEm9t8I3GH7lrICqUXw_8omvvN8oo1Y7yrjs',
  'T-beGlzXchNScq9f8_E1fYckquFBA2MTMxDIjbTr4kg',
  'uBQClONTjEAyP0IQlrPIJRd3TbMzLcXIzJ9zshD41Jk',
  'dKIbY12jbPJaKE7ReFE447OOj-qX2r82oKR1nls60l8',
  'NA8xs7TficY9wtgrw1HKd5zRs3oZe22N4Cb3uylWPMI',
];

export const INTENT =
  '{"body":{"approval":null,"call":{"action":"read_record","args":"h1.qwpIWjJCZsYEjFRUjEdcSl4Jf_9GvcOx6JNdIKS47_M","id":"call_7Qk","origin":"model","resource":"https://records.example","tool":"readRecord"},"chain":[{"iss":"https://idp.example","sub":"planner"}],"decision":null,"directive":0,"exchange":"fresh","hop":null,"human":"_sOppiNAXpdQ_UBYDWhEcXQ-2hSKJhWzhr2myHWXXww","mode":"enforce","reason":null,"session":2,"token":{"aud":"https://records.example","c":"h1.Vx_ZVkqmIJXNihP3BOxE9MWBuOak8qwjW0mYNMWPJYM","exp":"2026-11-22T10:20:30.000Z","iss":"https://idp.example","jwks":1,"kid":"k1","nesting":"subject","profile":"dev","scope":["read_record"],"txn":null},"verdict":"authorized"},"kind":"intent","prev":"uBQClONTjEAyP0IQlrPIJRd3TbMzLcXIzJ9zshD41Jk","seq":3,"time":"2026-11-22T10:15:30.123Z","v":"crumb/1"}';

export const HEAD_3 =
  'S3n_373widIsN0afFTWcM2iFD0T3AYBcybQ7DTAGRU6W5qzkkIb2oBUATL09Z9Do1u6YdLU4ZRTRNiFHNu--Aw';

export const OUTCOME =
  '{"body":{"error":null,"intent":3,"ms":264,"result":"h1.M2JtnIsLIDizkX437lHCS1YMrENKrAlxM9g0G1-dnZg","status":"ok"},"kind":"outcome","prev":"dKIbY12jbPJaKE7ReFE447OOj-qX2r82oKR1nls60l8","seq":4,"time":"2026-11-22T10:15:30.391Z","v":"crumb/1"}';

export const NOTE = `acme.example/crumb
5
LCvDFvkX07EchQseWu7rInFogihnbNSlPBRSMugeoWU=

— acme.example/crumb ryZHG/EjT+UZyYyh1MgSrpP9dW8Gmf0kcj6CA81KNKeRsGHwJlLo5KrrZLZblLkVsA8SsGSor8KUpP8Xh/k/U4Yvigk=
`;
