-- Inner joins on shuttles, then only rows in which nothing is missing.
with joined as (
  select
    s.id as shuttle_id,
    s.shuttle_location, s.shuttle_type, s.engine_type, s.engine_vendor, s.engines, s.passenger_capacity,
    s.cancellation_policy, s.crew,
    s.d_check_complete = 't' as d_check_complete,
    s.moon_clearance_complete = 't' as moon_clearance_complete,
    cast(replace(replace(s.price, '$', ''), ',', '') as double) as price,
    r.* exclude (shuttle_id),
    c.id as company_id, c.company_location, c.total_fleet_count,
    cast(replace(c.company_rating, '%', '') as double) / 100 as company_rating,
    coalesce(c.iata_approved = 't', false) as iata_approved
  from shuttles s
  join reviews r on s.id = r.shuttle_id
  join companies c on s.company_id = c.id
)
select * from joined
where columns(*) is not null
