# The ARPANET at the end of 1970, of IMPs and lines of 50 kbit/s.
graph [
  directed 0
  label "Arpanet 1970"
  GeoLocation "USA"
  NetworkDate "1970-12"
  node [
    id 0
    label "UCLA"
    Longitude -118.445
    Latitude 34.069
    graphics [ x 1 y 2 ]
  ]
  node [
    id 1
    label "SRI"
    Longitude -122.177
    Latitude 37.457
    graphics [ x 1 y 2 ]
  ]
  node [
    id 2
    label "UCSB"
    Longitude -119.848
    Latitude 34.414
    graphics [ x 1 y 2 ]
  ]
  node [
    id 3
    label "UTAH"
    Longitude -111.846
    Latitude 40.764
    graphics [ x 1 y 2 ]
  ]
  node [
    id 4
    label "RAND"
    Longitude -118.491
    Latitude 34.01
    graphics [ x 1 y 2 ]
  ]
  node [
    id 5
    label "SDC"
    Longitude -118.4
    Latitude 34.02
    graphics [ x 1 y 2 ]
  ]
  node [
    id 6
    label "BBN"
    Longitude -71.148
    Latitude 42.389
    graphics [ x 1 y 2 ]
  ]
  node [
    id 7
    label "MIT"
    Longitude -71.092
    Latitude 42.36
    graphics [ x 1 y 2 ]
  ]
  node [
    id 8
    label "HARVARD"
    Longitude -71.117
    Latitude 42.377
    graphics [ x 1 y 2 ]
  ]
  node [
    id 9
    label "STANFORD"
    Longitude -122.17
    Latitude 37.427
    graphics [ x 1 y 2 ]
  ]
  node [
    id 10
    label "LINCOLN"
    Longitude -71.276
    Latitude 42.459
    graphics [ x 1 y 2 ]
  ]
  node [
    id 11
    label "CASE"
    Longitude -81.608
    Latitude 41.504
    graphics [ x 1 y 2 ]
  ]
  node [
    id 12
    label "CARNEGIE"
    Longitude -79.943
    Latitude 40.443
    graphics [ x 1 y 2 ]
  ]
  edge [
    source 0
    target 1
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 0
    target 2
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 1
    target 2
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 1
    target 3
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 0
    target 4
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 4
    target 5
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 5
    target 3
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 4
    target 6
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 6
    target 7
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 6
    target 8
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 7
    target 3
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 1
    target 9
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 9
    target 0
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 7
    target 10
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 10
    target 11
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 11
    target 12
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
  edge [
    source 12
    target 8
    LinkSpeed "50"
    LinkSpeedUnits "K"
    LinkSpeedRaw 50000.0
  ]
]
